//! Where two people call each other at once, one offer stands and the other one is forgotten.

use model::Role;

use super::blame;
use crate::agreement::commit;
use crate::case::{Call, Case, crossing};
use crate::evidence::{Message, View, bytes};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Of two offers that cross, the one with the smaller commitment stands; where one of them has none, because it
    /// asks for an ordinary call or its profile agrees on nothing, the one with the smaller call id. The device whose
    /// own offer stands does not answer the other one. The device whose own offer does not stand does not go on with
    /// it, and does not answer the other one with the key and nonce that it had committed to.
    ///
    /// ## Why it matters
    /// Two devices that choose differently never talk, or talk twice. A key that served an offer and then an answer has
    /// been committed to before the other side's was known, and serves two calls.
    ///
    /// ## How it decides
    /// From the offers as they crossed each device's own link. It passes when each device kept to the offer that stands
    /// from where it is. It fails with each device that did not. It is inconclusive when an offer cannot be read. A
    /// commitment hides what it is to: a forgotten key is recognised only together with its nonce.
    summary: "of two crossing offers the smaller one stands",
    requirements: ["overheard/one-of-two-crossing-offers-stands"],
    applies: |case| case.plan.crossings().next().is_some(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for [earlier, later] in case.plan.crossings() {
        let (Some(first), Some(second)) = (case.calls.get(earlier), case.calls.get(later)) else { continue };
        for (own, other) in [(first, second), (second, first)] {
            Side { case, own, other }.judge(findings);
        }
    }
}

/// One device: the call that it places, and the one that it is offered.
struct Side<'c, 'a> {
    case: &'c Case<'a>,
    own: &'c Call<'a>,
    other: &'c Call<'a>,
}

impl Side<'_, '_> {
    fn judge(&self, findings: &mut Findings) {
        let (own, other) = (&self.own.expected.name, &self.other.expected.name);
        let tap = self.own.record.map(|record| record.caller.to_string()).unwrap_or_default();
        let placed = View::of(self.case.evidence, &tap, Role::Caller, self.own.id());
        let taken = View::of(self.case.evidence, &tap, Role::Callee, self.other.id());
        let (Some(sent), Some(came)) = (placed.said("offer"), taken.heard("offer")) else {
            findings.doubt(format!("an offer of {own} or {other} cannot be read; run the scenario again"));
            return;
        };
        findings.examine(1);
        let answer = taken.said("answer");
        let stands = crossing::order(sent, came).is_lt();
        if let Some(answer) = answer.filter(|_| stands) {
            let text = format!("the callee of {other} answers although its own offer of {own} stands");
            findings.fail(blame(Role::Callee), text, self.at(answer));
        }
        if stands {
            return;
        }
        if let Some(on) = ["reveal", "sdp-offer"].into_iter().find_map(|kind| placed.said(kind)) {
            let text = format!("the caller of {own} goes on although the offer of {other} stands");
            findings.fail(blame(Role::Caller), text, self.at(on));
        }
        if let Some(answer) = answer.filter(|answer| is_committed_to(sent, answer)) {
            let text = format!(
                "the callee of {other} answers with the key and nonce of {own}, which it had to forget"
            );
            findings.fail(blame(Role::Callee), text, self.at(answer));
        }
    }

    fn at(&self, message: &Message) -> Located {
        let mut located = Located::default();
        located.add(self.case.evidence.located(message.packet));
        located
    }
}

/// Whether the key and nonce of `answer` are what `offer` committed to.
fn is_committed_to(offer: &Message, answer: &Message) -> bool {
    let committed = bytes(offer, "commit");
    match (bytes(answer, "epk"), bytes(answer, "nonce")) {
        (Some(epk), Some(nonce)) => committed == Some(commit(&epk, &nonce)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use model::plan::{CallExpect, Plan, Verb};
    use model::record::{CallRecord, Claim, Claimed, WorldRecord};
    use model::{DeviceId, Reason, Verdict};
    use serde_json::{Value, json};

    use super::commit;
    use crate::bench::plans::{both_on, call, call_between, step, user};
    use crate::bench::signals::{Signal, Signals, agreement};
    use crate::bench::story::{ALICE, BOB, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "keys/one-of-two-crossing-offers-stands";
    const OUTCOME: &str = "outcome/is-what-the-plan-comes-to";

    fn other() -> String {
        "D5".repeat(16).to_lowercase()
    }

    fn plan() -> Plan {
        let mut plan = both_on();
        let crossing = call_between(user("bob"), vec![user("alice")], 1);
        let mut talk = step(Verb::Talk { ms: 2_000 });
        let mut hang_up = step(Verb::HangUp(DeviceId::only(user("alice"))));
        (talk.call, hang_up.call) = (Some(1), Some(1));
        plan.steps = vec![call(), crossing, talk, hang_up];
        plan.calls.push("call-2".to_owned());
        plan.expect.push(CallExpect::default());
        plan
    }

    /// Bob's offer and how he takes it back, each seen at both ends.
    fn crossing(signals: &mut Signals, commit: &str) {
        let (alice, bob) = ("alice@contoso.example", "bob@contoso.example");
        let offer = json!({
            "type": "offer", "call": other(), "from": bob, "to": [alice], "media": ["audio"], "kind": "unscheduled",
            "profile": "frames", "intent": 1, "suites": [1], "commit": commit
        });
        let back = json!({ "type": "hang-up", "call": other(), "reason": "busy" });
        for json in [back, offer] {
            let both = [(ALICE, false), (BOB, true)];
            let said = both.map(|(side, from_client)| Signal { side, from_client, json: json.clone() });
            signals.signals.splice(2..2, said);
        }
    }

    fn taken_back(world: &mut WorldRecord) {
        let (alice, bob) = (DeviceId::only(user("alice")), DeviceId::only(user("bob")));
        world.calls.push(CallRecord {
            name: "call-2".to_owned(),
            call: other(),
            caller: bob.clone(),
            callee: Some(alice.clone()),
            placed_ns: 0,
            connected_ns: None,
            ended_ns: Some(1_000_000),
        });
        for (device, own) in [(bob, true), (alice, false)] {
            let claim = Claimed::Ended { reason: Some(Reason::Busy), own };
            world.claims.push(Claim { device, call: other(), at_ns: 1_000_000, claim });
        }
    }

    fn story(signals: fn(&mut Signals)) -> Story {
        Story { signals, retell: taken_back, ..Story::sealed(plan()) }
    }

    #[test]
    fn the_smaller_offer_goes_on_and_the_other_is_taken_back() {
        let trial = Trial::of(&story(|signals| crossing(signals, &"ff".repeat(32))));
        assert_eq!(trial.failing(), [] as [&str; 0]);
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_call_that_goes_on_although_the_other_offer_is_smaller_fails() {
        let trial = Trial::of(&story(|signals| crossing(signals, &"00".repeat(32))));
        assert_eq!(trial.failing_beside_legs(), [OUTCOME, NAME]);
        assert_eq!(
            trial.texts(NAME),
            [
                "the caller of call goes on although the offer of call-2 stands",
                "the callee of call answers although its own offer of call-2 stands",
            ]
        );
    }

    #[test]
    fn an_answer_with_the_forgotten_key_and_nonce_fails() {
        let trial = Trial::of(&story(|signals| {
            let (agreed, _) = agreement();
            crossing(signals, &hex::encode(commit(&agreed.epk_callee, &agreed.nonce_callee)));
        }));
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the callee of call answers with the key and nonce of call-2, which it had to forget"
        );
    }

    #[test]
    fn offers_without_commitments_go_by_the_call_id() {
        let trial = Trial::of(&Story {
            signals: |signals| {
                crossing(signals, "");
                for signal in signals.signals.iter_mut().filter(|signal| signal.json["type"] == "offer") {
                    signal.json["commit"] = Value::from("");
                    signal.json["intent"] = Value::from(0);
                }
            },
            retell: taken_back,
            ..Story::ordinary(plan())
        });
        assert_eq!(trial.failing(), [] as [&str; 0]);
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn an_offer_that_nobody_saw_shows_nothing() {
        let trial = Trial::of(&story(|signals| {
            crossing(signals, &"ff".repeat(32));
            signals.signals.retain(|s| s.side != ALICE || s.json["type"] != "offer" || s.from_client);
        }));
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
