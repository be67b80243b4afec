//! Probes of answers in time: one request that takes long holds up no other.

use adapters::driver;
use adapters::protocol::{Ask, Invocation};
use serde_json::json;

use super::Probe;
use super::bench::{Bench, OTHER, Trouble};
use super::made_up::answered;

/// A feature that the session withholds in sealed calls; the call of the probe is an ordinary one.
const FEATURE: &str = "recording";

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "deadlines/cancel-of-nothing",
        asked: "`cancel` of a request that is not open is answered with a result",
        hint: "answer `cancel` with {} whatever it names",
        needs: &["handshake/introduces-itself"],
        deed: |bench| Box::pin(cancel_of_nothing(bench)),
    },
    Probe {
        id: "deadlines/two-under-way",
        asked: "while `invoke` waits for the service, `chat` is answered; then `invoke` gives what the service said",
        hint: "read the next request while one is under way, and answer each when its own work is done",
        needs: &["calls/answer"],
        deed: |bench| Box::pin(two_under_way(bench)),
    },
    Probe {
        id: "deadlines/cancel-of-an-open-request",
        asked: "`cancel` of an `invoke` that waits is answered at once, and the next request too",
        hint: "answer `cancel` itself; whether the cancelled request is still answered is up to you",
        needs: &["calls/answer"],
        deed: |bench| Box::pin(cancel_of_an_open_request(bench)),
    },
];

async fn cancel_of_nothing(bench: &mut Bench) -> Result<String, Trouble> {
    bench.greeted().await?;
    bench.done(Ask::Cancel { request: 4_000_000 }).await?;
    Ok("a result".to_owned())
}

/// Asks for a feature whose answer only the service has; gives the open request.
async fn invoking(bench: &mut Bench, call: &str) -> Result<adapters::driver::Pending, Trouble> {
    let ask = Ask::Invoke { call: call.to_owned(), feature: FEATURE.to_owned(), with: String::new() };
    let driver = bench.driver()?;
    let pending = driver.reserve("invoke")?;
    driver.write(driver::line(pending.id(), &ask, bench.patience).into_bytes());
    bench.signalled("invoke", Some(call)).await?;
    Ok(pending)
}

async fn two_under_way(bench: &mut Bench) -> Result<String, Trouble> {
    let call = answered(bench).await?;
    let pending = invoking(bench, &call).await?;
    bench.done(Ask::Chat { to: OTHER.to_owned(), text: "meanwhile".to_owned() }).await?;
    let message = json!({
        "type": "invoked", "call": call, "feature": FEATURE, "result": "refused", "reason": "not-recorded",
    });
    bench.done(Ask::Signal { message, policy: None }).await?;
    let answer = bench.driver()?.answered(pending, bench.patience).await?;
    let value = answer.map_err(|refusal| {
        Trouble::Wrong(format!("`invoke` was refused as `{}` ({})", refusal.kind.word(), refusal.message))
    })?;
    let came: Invocation = serde_json::from_value(value)
        .map_err(|why| Trouble::Wrong(format!("an answer to `invoke` that cannot be read ({why})")))?;
    match (came.shown, came.result.as_str(), came.reason.as_str()) {
        (true, "refused", "not-recorded") => Ok("`chat` first, then `invoke`: refused".to_owned()),
        _ => Err(Trouble::Wrong(format!(
            "shown {}, `{}`, `{}`, where the service said `refused`, `not-recorded` and the control of an ordinary call \
             is shown",
            came.shown, came.result, came.reason
        ))),
    }
}

async fn cancel_of_an_open_request(bench: &mut Bench) -> Result<String, Trouble> {
    let call = answered(bench).await?;
    let pending = invoking(bench, &call).await?;
    bench.done(Ask::Cancel { request: pending.id() }).await?;
    bench.done(Ask::Chat { to: OTHER.to_owned(), text: "afterwards".to_owned() }).await?;
    Ok("`cancel` and the next request were answered".to_owned())
}
