//! Probes of `hello`.

use adapters::protocol::{ErrorKind, Introduction, VERSION};
use serde_json::json;

use super::Probe;
use super::bench::{Bench, Trouble, Wish, due_refusal};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "handshake/introduces-itself",
        asked: "`hello` gives version, implementation, and what the client can do",
        hint: r#"answer with {"protocol":1,"implementation":"NAME VERSION","capabilities":{"frames":true,"audio":true}}"#,
        needs: &[],
        deed: |bench| Box::pin(introduces_itself(bench)),
    },
    Probe {
        id: "handshake/chooses-from-a-range",
        asked: "`hello` with versions 1 to 99 is answered with 1",
        hint: "choose the highest version that both sides speak, and put that into `protocol`",
        needs: &["handshake/introduces-itself"],
        deed: |bench| Box::pin(chooses_from_a_range(bench)),
    },
    Probe {
        id: "handshake/refuses-other-versions",
        asked: "`hello` with versions 98 to 99 alone is refused as `unsupported`",
        hint: "compare `protocol.min` and `protocol.max` with the versions that you speak before you answer",
        needs: &["handshake/introduces-itself"],
        deed: |bench| Box::pin(refuses_other_versions(bench)),
    },
    Probe {
        id: "handshake/ignores-unknown-fields",
        asked: "`hello` with fields that nobody knows is answered as without them",
        hint: "read the fields that you know and leave the others alone: later versions add some",
        needs: &["handshake/introduces-itself"],
        deed: |bench| Box::pin(ignores_unknown_fields(bench)),
    },
    Probe {
        id: "handshake/comes-first",
        asked: "`open` before `hello` is refused as `wrong-state`",
        hint: "refuse everything but `hello` and `shutdown` until `hello` was answered",
        needs: &["handshake/introduces-itself"],
        deed: |bench| Box::pin(comes_first(bench)),
    },
];

fn read(answer: serde_json::Value) -> Result<Introduction, Trouble> {
    serde_json::from_value(answer)
        .map_err(|why| Trouble::Wrong(format!("a result that is no introduction ({why})")))
}

async fn introduces_itself(bench: &mut Bench) -> Result<String, Trouble> {
    bench.fresh().await?;
    let answer = bench.hello(VERSION, VERSION).await?;
    let hello = read(answer.map_err(|refusal| {
        Trouble::Wrong(format!("refused as `{}` ({})", refusal.kind.word(), refusal.message))
    })?)?;
    if hello.protocol != VERSION {
        return Err(Trouble::Wrong(format!("version {}, where {VERSION} alone was offered", hello.protocol)));
    }
    if hello.implementation.trim().is_empty() {
        return Err(Trouble::Wrong("an empty `implementation`".to_owned()));
    }
    let told = format!("{}, version {}", hello.implementation, hello.protocol);
    bench.introduction = Some(hello);
    let lacks = |words: &[&'static str]| bench.first_of(words).is_none();
    if lacks(&["frames", "dtls", "own"]) || lacks(&["audio", "video", "screen"]) {
        let declared = bench.capabilities().join(", ");
        return Err(Trouble::Wrong(format!(
            "no profile or no kind of media among what it declares ({declared})"
        )));
    }
    Ok(format!("{told}: {}", bench.capabilities().join(", ")))
}

async fn chooses_from_a_range(bench: &mut Bench) -> Result<String, Trouble> {
    bench.fresh().await?;
    match bench.hello(1, 99).await? {
        Ok(answer) => match read(answer)?.protocol {
            VERSION => Ok(format!("version {VERSION}")),
            other => Err(Trouble::Wrong(format!("version {other}, which this harness does not speak"))),
        },
        Err(refusal) => Err(Trouble::Wrong(format!("refused as `{}`", refusal.kind.word()))),
    }
}

async fn refuses_other_versions(bench: &mut Bench) -> Result<String, Trouble> {
    bench.fresh().await?;
    let answer = bench.hello(98, 99).await?;
    let came = due_refusal(&answer, ErrorKind::Unsupported);
    // Nothing is known of a driver that was greeted in another version.
    bench.dismiss().await;
    came
}

async fn ignores_unknown_fields(bench: &mut Bench) -> Result<String, Trouble> {
    bench.fresh().await?;
    let driver = bench.driver()?;
    let pending = driver.reserve("hello")?;
    let protocol = json!({ "min": VERSION, "max": VERSION, "recommended": VERSION });
    let request = json!({
        "id": pending.id(), "deadline_ms": 5_000, "method": "hello", "trace": [1, 2],
        "params": { "protocol": protocol, "harness": "overheard", "colour": { "name": "green" } },
    });
    driver.write(format!("{request}\n").into_bytes());
    let answer = driver.answered(pending, bench.patience).await?;
    let came = answer.map_err(|refusal| Trouble::Wrong(format!("refused as `{}`", refusal.kind.word())));
    // The bench does not know that this process was greeted.
    bench.dismiss().await;
    Ok(format!("version {}", read(came?)?.protocol))
}

async fn comes_first(bench: &mut Bench) -> Result<String, Trouble> {
    bench.fresh().await?;
    let ask = bench.opening(Wish::default(), bench.profile())?;
    let came = bench.refuses(ask, ErrorKind::WrongState).await;
    bench.dismiss().await;
    came
}
