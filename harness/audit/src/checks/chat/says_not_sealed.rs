//! Chat goes on beside a call, is not sealed, and its screen says so.

use model::plan::Verb;
use model::record::Claimed;
use model::results::Blame;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Each chat message arrives unchanged, the service can read it on its way, and the screen that shows it says that
    /// it is not end-to-end encrypted.
    ///
    /// ## Why it matters
    /// People who see a lock on the call take the chat beside it for sealed. It never is.
    ///
    /// ## How it decides
    /// It passes when every message of the plan stands in the signalling and every screen with one says what it is. It
    /// fails with a screen that does not. It is inconclusive when a message was shown nowhere or cannot be read on the
    /// wire. What a screen says is the client's word.
    summary: "chat says that it is not sealed",
    requirements: ["overheard/chat-is-not-sealed"],
    applies: |case| case.plan.steps.iter().any(|step| matches!(step.verb, Verb::Chat { .. })),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for step in &case.plan.steps {
        let Verb::Chat { from, text } = &step.verb else { continue };
        let wanted = hex::encode(Sha256::digest(text));
        let mut shown = 0;
        for claim in &case.evidence.world.claims {
            let Claimed::Chat { sha256, says_not_sealed } = &claim.claim else { continue };
            if *sha256 != wanted {
                continue;
            }
            shown += 1;
            findings.examine(1);
            if !says_not_sealed {
                let text = format!(
                    "the screen of {} shows a chat message of {from} as if it were sealed",
                    claim.device
                );
                let placed = step.call.and_then(|call| case.calls.get(call)).and_then(|call| call.record);
                let by_caller = placed.is_some_and(|record| record.caller == claim.device);
                let blame = if by_caller { Blame::Caller } else { Blame::Callee };
                findings.fail(blame, text, Located::default());
            }
        }
        if shown == 0 {
            findings.doubt(format!("no screen shows the chat message of {from}; run the scenario again"));
        }
        let mut messages = case.evidence.signalling.messages.iter();
        if !messages.any(|message| message.kind() == "chat" && message.text_of("text") == text) {
            findings.doubt(format!("the chat message of {from} cannot be read in the signalling"));
        }
    }
}

#[cfg(test)]
mod tests {
    use model::record::{Claim, WorldRecord};
    use model::{DeviceId, Verdict};
    use serde_json::json;

    use super::*;
    use crate::bench::plans::{both_on, step, user};
    use crate::bench::signals::{Signal, Signals};
    use crate::bench::story::{BOB, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "chat/says-not-sealed";

    fn shown(world: &mut WorldRecord, says_not_sealed: bool) {
        let sha256 = hex::encode(Sha256::digest("hello"));
        let claim = Claimed::Chat { sha256, says_not_sealed };
        let device = DeviceId::only(user("bob"));
        world.claims.push(Claim { device, call: String::new(), at_ns: 2_000_000_000, claim });
    }

    fn delivered(signals: &mut Signals) {
        let json = json!({ "type": "chat", "to": "bob@contoso.example", "text": "hello" });
        signals.signals.push(Signal { side: BOB, from_client: false, json });
    }

    fn story() -> Story {
        let mut plan = both_on();
        plan.steps.insert(1, step(Verb::Chat { from: user("alice"), text: "hello".to_owned() }));
        Story { signals: delivered, retell: |world| shown(world, true), ..Story::sealed(plan) }
    }

    #[test]
    fn a_message_that_says_what_it_is_passes() {
        assert_eq!(Trial::of(&story()).verdict(NAME), Some(Verdict::Pass));
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), None);
    }

    #[test]
    fn a_message_that_looks_sealed_fails_and_nothing_else_does() {
        let trial = Trial::of(&Story { retell: |world| shown(world, false), ..story() });
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the screen of bob@contoso.example shows a chat message of alice@contoso.example as if it were sealed"
        );
    }

    #[test]
    fn a_message_that_never_arrived_shows_nothing() {
        let trial = Trial::of(&Story { retell: |_| {}, ..story() });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }

    #[test]
    fn a_message_that_is_nowhere_on_the_wire_shows_nothing() {
        let trial = Trial::of(&Story { signals: |_| {}, ..story() });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
