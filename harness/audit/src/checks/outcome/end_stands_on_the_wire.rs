//! What a device says of the end of a call stands in the signalling at its own link.

use model::outcome::Reason;
use model::record::{Claim, Claimed};

use super::super::keys::blame;
use crate::case::{Call, Case};
use crate::evidence::{Message, View, is_number};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// A device that says it has ended a call has sent a `hang-up` with the reason that it gives, or a `decline`; one
    /// that says the other side ended it was sent such a message. A call that a person ended has no reason in either.
    ///
    /// ## Why it matters
    /// The reason for which a call ends is what tells an attack that was noticed from one that broke something. It is
    /// the client's word, and this is its second witness.
    ///
    /// ## How it decides
    /// From the messages at the device's own link. It passes when each end that is reported stands there. It fails with
    /// each that does not, or stands there with another reason. It is inconclusive when none is reported, or nothing of
    /// the call can be read at that link.
    summary: "the reported end of a call stands in its signalling",
    requirements: ["overheard/ends-have-a-second-witness"],
    applies: |case| ends(case).next().is_some(),
    judge: judge,
}

/// Every end that a device with a link reports, with its call.
fn ends<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (&'c Call<'a>, &'c Claim, Option<Reason>, bool)> {
    case.calls.iter().filter(|call| call.record.is_some()).flat_map(move |call| {
        let claims = case.evidence.world.claims.iter().filter(|claim| claim.call == call.id());
        claims.filter(|claim| !is_number(&claim.device)).filter_map(move |claim| match claim.claim {
            Claimed::Ended { reason, own } => Some((call, claim, reason, own)),
            _ => None,
        })
    })
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for (call, claim, reason, own) in ends(case) {
        let role = case.role(call, &claim.device);
        let view = View::of(case.evidence, &claim.device.to_string(), role, call.id());
        let name = &call.expected.name;
        if view.sent.is_empty() && view.received.is_empty() {
            findings.doubt(format!("nothing of {name} can be read at the {role}; run the scenario again"));
            continue;
        }
        findings.examine(1);
        let (messages, how) = if own { (&view.sent, "sent") } else { (&view.received, "was sent") };
        let mut standing = messages.iter().filter_map(|message| Some((*message, end(message)?)));
        if standing.clone().any(|(_, told)| told == reason) {
            continue;
        }
        let mut located = Located::default();
        let told = standing.next().map(|(message, told)| {
            located.add(case.evidence.located(message.packet));
            format!("one that says {}", word(told))
        });
        let text = format!(
            "the {role} of {name} says that it ended with {}, and {how} {}",
            word(reason),
            told.unwrap_or_else(|| "no hang-up".to_owned())
        );
        findings.fail(blame(role), text, located);
    }
}

/// The reason of a message that ends a call; none within where a person hung up.
fn end(message: &Message) -> Option<Option<Reason>> {
    match message.kind() {
        "hang-up" => Some(message.text_of("reason").parse().ok()),
        "decline" => Some(Some(Reason::Declined)),
        _ => None,
    }
}

fn word(reason: Option<Reason>) -> &'static str {
    reason.map_or("no reason", Reason::word)
}

#[cfg(test)]
mod tests {
    use model::plan::Verb;
    use model::record::{Claimed, WorldRecord};
    use model::{DeviceId, Reason, Verdict};

    use crate::bench::plans::{both_on, user};
    use crate::bench::story::{BOB, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "outcome/end-stands-on-the-wire";

    fn ended(world: &mut WorldRecord, reason: Option<Reason>) {
        for claim in &mut world.claims {
            if let Claimed::Ended { reason: told, .. } = &mut claim.claim {
                *told = reason;
            }
        }
    }

    #[test]
    fn an_end_without_a_reason_that_stands_on_both_links_passes() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_reason_that_the_message_does_not_give_fails_on_both_sides() {
        let retell = |world: &mut WorldRecord| ended(world, Some(Reason::CommitmentMismatch));
        let trial = Trial::of(&Story { retell, ..Story::sealed(both_on()) });
        assert_eq!(
            trial.texts(NAME),
            [
                "the caller of call says that it ended with commitment-mismatch, and sent one that says no reason",
                "the callee of call says that it ended with commitment-mismatch, and was sent one that says no reason",
            ]
        );
    }

    #[test]
    fn a_reason_in_the_message_that_the_device_keeps_to_itself_fails() {
        let trial = Trial::of(&Story {
            signals: |s| s.alter(BOB, false, "hang-up", "reason", "low-order-key".into()),
            ..Story::sealed(both_on())
        });
        assert_eq!(trial.failing(), [NAME]);
    }

    #[test]
    fn a_decline_that_nobody_sent_fails() {
        let mut plan = both_on();
        plan.steps[1].verb = Verb::Decline(DeviceId::only(user("bob")));
        let retell = |world: &mut WorldRecord| ended(world, Some(Reason::Declined));
        let trial = Trial::of(&Story {
            retell,
            signals: |s| s.signals.retain(|signal| signal.json["type"] != "hang-up"),
            ..Story::sealed(plan)
        });
        assert_eq!(
            trial.text(NAME),
            "the caller of call says that it ended with declined, and sent no hang-up"
        );
    }

    #[test]
    fn a_link_that_cannot_be_read_shows_nothing() {
        let trial = Trial::of(&Story { signals: |s| s.signals.clear(), ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
