//! Probes of lines: how they arrive is nobody's business but the reader's.

use std::time::Duration;

use adapters::driver::{self, Answer, Pending};
use adapters::protocol::{Ask, LONGEST_LINE};
use serde_json::{Value, json};

use super::Probe;
use super::bench::{Bench, NO_METHOD, OTHER, Trouble, Wish};

const INTRODUCED: &[&str] = &["handshake/introduces-itself"];
/// So many requests go out in one write.
const AT_ONCE: usize = 8;
/// Between two parts of one line, so that a reader meets the first alone. Where it does not, nothing is lost.
const APART: Duration = Duration::from_millis(50);
/// Letters of one, two, three and four bytes in UTF-8.
const TEXT: &str = "a ä € 𝄞 \" \\ \u{7f}";

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "framing/several-in-one-write",
        asked: "eight requests that arrive in one write are answered, each once",
        hint: "read line by line, and keep what stands behind the first line feed",
        needs: INTRODUCED,
        deed: |bench| Box::pin(several_in_one_write(bench)),
    },
    Probe {
        id: "framing/cut-in-two",
        asked: "a request that arrives in two writes is answered",
        hint: "read until the line feed, however many reads that takes",
        needs: INTRODUCED,
        deed: |bench| Box::pin(cut_in_two(bench)),
    },
    Probe {
        id: "framing/long-line",
        asked: "a request of nearly 1 MiB is answered",
        hint: "let your reader take lines of 1 MiB; many have a lower limit that can be raised",
        needs: INTRODUCED,
        deed: |bench| Box::pin(long_line(bench)),
    },
    Probe {
        id: "framing/utf-8",
        asked: "a chat text with letters of one to four bytes, cut within a letter, goes out as it is",
        hint: "read bytes up to the line feed first and decode UTF-8 then",
        needs: &["handshake/introduces-itself", "honesty/declared-profiles"],
        deed: |bench| Box::pin(utf_8(bench)),
    },
];

/// A request that every driver answers, session or not: by a refusal.
fn nothing(id: u64) -> serde_json::Map<String, Value> {
    let request = json!({ "id": id, "deadline_ms": 5_000, "method": NO_METHOD, "params": {} });
    request.as_object().cloned().unwrap_or_default()
}

fn bytes(request: serde_json::Map<String, Value>) -> Vec<u8> {
    format!("{}\n", Value::Object(request)).into_bytes()
}

async fn several_in_one_write(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    let driver = bench.driver()?;
    let (mut together, mut waiting) = (Vec::new(), Vec::new());
    for _ in 0..AT_ONCE {
        let pending = driver.reserve("an unknown method")?;
        together.extend(bytes(nothing(pending.id())));
        waiting.push(pending);
    }
    driver.write(together);
    for pending in waiting {
        driver.answered(pending, bench.patience).await?.ok();
    }
    Ok(format!("{AT_ONCE} answers"))
}

/// Sends a line in two parts, the first up to `part`; gives the answer.
async fn in_two(bench: &Bench, pending: Pending, mut line: Vec<u8>, part: usize) -> Result<Answer, Trouble> {
    let driver = bench.driver()?;
    let rest = line.split_off(part);
    driver.write(line);
    tokio::time::sleep(APART).await;
    driver.write(rest);
    Ok(driver.answered(pending, bench.patience).await?)
}

async fn cut_in_two(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    let pending = bench.driver()?.reserve("an unknown method")?;
    let line = bytes(nothing(pending.id()));
    let half = line.len() / 2;
    in_two(bench, pending, line, half).await?.ok();
    Ok("an answer".to_owned())
}

async fn long_line(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    let driver = bench.driver()?;
    let pending = driver.reserve("an unknown method")?;
    let mut request = nothing(pending.id());
    request.insert("padding".to_owned(), Value::String("x".repeat(LONGEST_LINE - 1_000)));
    let line = bytes(request);
    let length = line.len();
    driver.write(line);
    driver.answered(pending, bench.patience).await?.ok();
    Ok(format!("an answer to {length} bytes"))
}

async fn utf_8(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let ask = Ask::Chat { to: OTHER.to_owned(), text: TEXT.to_owned() };
    let pending = bench.driver()?.reserve(ask.method())?;
    let line = driver::line(pending.id(), &ask, bench.patience).into_bytes();
    // In the middle of the first letter of several bytes.
    let part = line.iter().position(|byte| *byte >= 0x80).map_or(0, |at| at + 1);
    in_two(bench, pending, line, part).await?.map_err(|refusal| {
        Trouble::Wrong(format!("`chat` was refused as `{}` ({})", refusal.kind.word(), refusal.message))
    })?;
    let message = bench.signalled("chat", None).await?;
    if message["text"] == TEXT && message["to"] == OTHER {
        Ok("the same text".to_owned())
    } else {
        Err(Trouble::Wrong("another text or another receiver in the message `chat`".to_owned()))
    }
}
