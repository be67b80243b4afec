//! Probes of requests that cannot be done: each is refused by its due name, and the driver goes on.

use adapters::protocol::{Ask, ErrorKind};
use serde_json::{Value, json};

use super::Probe;
use super::bench::{ALLOWED, Bench, OTHER, Trouble, Wish, due_refusal};

const INTRODUCED: &[&str] = &["handshake/introduces-itself"];
const OPENS: &[&str] = &["handshake/introduces-itself", "honesty/declared-profiles"];
/// The id of no call.
const NO_CALL: &str = "00000000000000000000000000000000";
const KNOWN: &str = "look the call up first; where there is none, answer with `wrong-state`";

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "errors/no-json",
        asked: "a line that is no JSON is not answered, and the driver goes on",
        hint: "without an id there is nobody to answer: log it on standard error and read the next line",
        needs: INTRODUCED,
        deed: |bench| Box::pin(no_json(bench)),
    },
    Probe {
        id: "errors/missing-params",
        asked: "`open` without its parameters is refused as `invalid-params`",
        hint: "check that each parameter is there and of its type before you use it",
        needs: INTRODUCED,
        deed: |bench| Box::pin(missing(bench, "open", json!({}))),
    },
    Probe {
        id: "errors/params-of-another-type",
        asked: "`cancel` of a word is refused as `invalid-params`",
        hint: "check that each parameter is there and of its type before you use it",
        needs: INTRODUCED,
        deed: |bench| Box::pin(missing(bench, "cancel", json!({ "request": "the last one" }))),
    },
    Probe {
        id: "errors/place-without-session",
        asked: "`place` without a session is refused as `wrong-state`",
        hint: "refuse what needs a session until `open` was answered",
        needs: INTRODUCED,
        deed: |bench| Box::pin(without_session(bench)),
    },
    Probe {
        id: "errors/answer-of-no-call",
        asked: "`answer` of a call that is not there is refused as `wrong-state`",
        hint: KNOWN,
        needs: OPENS,
        deed: |bench| Box::pin(of_no_call(bench, |call| Ask::Answer { call, policy: ALLOWED.to_owned() })),
    },
    Probe {
        id: "errors/decline-of-no-call",
        asked: "`decline` of a call that is not there is refused as `wrong-state`",
        hint: KNOWN,
        needs: OPENS,
        deed: |bench| Box::pin(of_no_call(bench, |call| Ask::Decline { call })),
    },
    Probe {
        id: "errors/hang-up-of-no-call",
        asked: "`hang-up` of a call that is not there is refused as `wrong-state`",
        hint: KNOWN,
        needs: OPENS,
        deed: |bench| Box::pin(of_no_call(bench, |call| Ask::HangUp { call })),
    },
    Probe {
        id: "errors/talk-of-no-call",
        asked: "`talk` in a call that is not there is refused as `wrong-state`",
        hint: KNOWN,
        needs: OPENS,
        deed: |bench| Box::pin(of_no_call(bench, |call| Ask::Talk { call, ms: 100 })),
    },
    Probe {
        id: "errors/invoke-of-no-call",
        asked: "`invoke` in a call that is not there is refused as `wrong-state`",
        hint: KNOWN,
        needs: OPENS,
        deed: |bench| {
            Box::pin(of_no_call(bench, |call| Ask::Invoke {
                call,
                feature: "recording".to_owned(),
                with: String::new(),
            }))
        },
    },
    Probe {
        id: "errors/signal-of-no-kind",
        asked: "a signalling message of a kind that nobody knows is taken and ignored",
        hint: "ignore messages that you do not know, as you ignore fields",
        needs: OPENS,
        deed: |bench| Box::pin(signal_of_no_kind(bench)),
    },
];

/// The driver still answers.
async fn goes_on(bench: &mut Bench, came: String) -> Result<String, Trouble> {
    bench.goes_on().await?;
    Ok(format!("{came}; it goes on"))
}

async fn no_json(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    bench.driver()?.write(b"{\"id\": 12, \"method\": \"can\n\xff\xfe\n".to_vec());
    goes_on(bench, "no answer".to_owned()).await
}

async fn missing(bench: &mut Bench, method: &'static str, params: Value) -> Result<String, Trouble> {
    bench.closed().await?;
    let driver = bench.driver()?;
    let pending = driver.reserve(method)?;
    let request = json!({ "id": pending.id(), "deadline_ms": 5_000, "method": method, "params": params });
    driver.write(format!("{request}\n").into_bytes());
    let answer = driver.answered(pending, bench.patience).await?;
    let came = due_refusal(&answer, ErrorKind::InvalidParams)?;
    goes_on(bench, came).await
}

async fn without_session(bench: &mut Bench) -> Result<String, Trouble> {
    bench.closed().await?;
    let media = bench.media().parse().map_err(|why| Trouble::Harness(format!("{why}")))?;
    let ask = Ask::Place {
        to: vec![OTHER.to_owned()],
        media: vec![media],
        kind: "unscheduled".to_owned(),
        policy: ALLOWED.to_owned(),
    };
    let came = bench.refuses(ask, ErrorKind::WrongState).await?;
    goes_on(bench, came).await
}

async fn of_no_call(bench: &mut Bench, ask: fn(String) -> Ask) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let came = bench.refuses(ask(NO_CALL.to_owned()), ErrorKind::WrongState).await?;
    goes_on(bench, came).await
}

async fn signal_of_no_kind(bench: &mut Bench) -> Result<String, Trouble> {
    bench.session(Wish::default()).await?;
    let message = json!({ "type": "weather", "call": NO_CALL, "rain": true });
    bench.done(Ask::Signal { message, policy: None }).await?;
    goes_on(bench, "taken".to_owned()).await
}
