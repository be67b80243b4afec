//! Probes of whether the device wants a call sealed: exactly when everything on its side says so (design, section 1.3).

use super::Probe;
use super::bench::{ALLOWED, Bench, Trouble, Wish};
use super::made_up::placed;

const NEEDS: &[&str] = &["calls/offer"];
const HINT: &str = "the intent is 1 exactly when `eligible` and `e2ee` of the session are true and `policy` of the request is `DisabledUserOverride`";

pub(super) const PROBES: &[Probe] = &[
    Probe {
        id: "intent/all-say-so",
        asked: "where `eligible`, `e2ee` and policy say so, the offer's intent is 1",
        hint: HINT,
        needs: NEEDS,
        deed: |bench| Box::pin(is(bench, Wish::default(), ALLOWED, 1)),
    },
    Probe {
        id: "intent/not-eligible",
        asked: "where `eligible` is false, the offer's intent is 0",
        hint: HINT,
        needs: NEEDS,
        deed: |bench| Box::pin(is(bench, Wish { eligible: false, ..Wish::default() }, ALLOWED, 0)),
    },
    Probe {
        id: "intent/switched-off",
        asked: "where `e2ee` is false, the offer's intent is 0",
        hint: HINT,
        needs: NEEDS,
        deed: |bench| Box::pin(is(bench, Wish { e2ee: false, ..Wish::default() }, ALLOWED, 0)),
    },
    Probe {
        id: "intent/policy-forbids",
        asked: "where the policy is `Disabled`, the offer's intent is 0",
        hint: HINT,
        needs: NEEDS,
        deed: |bench| Box::pin(is(bench, Wish::default(), "Disabled", 0)),
    },
];

async fn is(bench: &mut Bench, wish: Wish, policy: &str, due: u64) -> Result<String, Trouble> {
    bench.session(wish).await?;
    let (_, offer) = placed(bench, policy).await?;
    match offer["intent"].as_u64() {
        Some(intent) if intent == due => Ok(format!("intent {intent}")),
        _ => Err(Trouble::Wrong(format!("the intent {}, where {due} is due", offer["intent"]))),
    }
}
