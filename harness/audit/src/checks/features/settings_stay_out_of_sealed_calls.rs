//! Voicemail and simultaneous ring are settings of the callee that a sealed call does without, and says so.

use std::collections::BTreeSet;

use model::outcome::{Outcome, Reason};
use model::plan::Plan;
use model::record::Claimed;
use model::release::{Feature, Release};
use model::results::Blame;
use model::{DeviceId, UserId};

use crate::case::{Call, Case};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Of each call to somebody who has voicemail or simultaneous ring: where the release withholds the setting and the
    /// call is sealed, or would have been sealed if somebody had answered it, the callee's call log says that the
    /// setting was not applied. In an ordinary call, and in a release that does not withhold it, the log does not.
    ///
    /// ## Why it matters
    /// A voicemail box and a second telephone are no end of a sealed call: whoever takes the call there hears it through
    /// the service. People who rely on either have to be told.
    ///
    /// ## How it decides
    /// It passes when the log of each such call says what the release makes of the setting. It fails with each that does
    /// not. It is inconclusive when no call came so far. The log is the client's word.
    summary: "voicemail and second ring stay out of sealed calls",
    requirements: ["overheard/settings-are-not-applied-when-sealed"],
    applies: |case| case.calls.iter().any(|call| set(case.plan, call).next().is_some()),
    judge: judge,
}

/// The settings of everybody who is called.
fn set<'c>(plan: &'c Plan, call: &'c Call<'_>) -> impl Iterator<Item = (&'c UserId, Feature)> {
    call.expected.to.iter().flat_map(|user| {
        let settings = plan.user(user);
        let voicemail = settings.is_some_and(|s| s.voicemail).then_some((user, Feature::Voicemail));
        let second = settings.is_some_and(|s| s.simultaneous_ring.is_some());
        voicemail.into_iter().chain(second.then_some((user, Feature::SimultaneousRing)))
    })
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let release = Release::of(case.plan.release);
    for call in &case.calls {
        let Some(sealed) = is_to_be_sealed(call) else { continue };
        for (user, setting) in set(case.plan, call) {
            findings.examine(1);
            let ought = sealed && release.withholds(setting);
            let says = says_not_applied(case, call, user, setting);
            let name = &call.expected.name;
            let text = match (ought, says) {
                (true, false) => format!("the callee of {name} does not say that {setting} was not applied"),
                (false, true) => {
                    format!(
                        "the callee of {name} says that {setting} was not applied, and nothing keeps it from it"
                    )
                }
                _ => continue,
            };
            findings.fail(Blame::Callee, text, Located::default());
        }
    }
}

/// Whether the callee takes the call for a sealed one, or would have; none where nobody can say.
fn is_to_be_sealed(call: &Call<'_>) -> Option<bool> {
    match call.claimed.outcome {
        Outcome::Sealed => Some(true),
        Outcome::Ordinary => Some(false),
        Outcome::Exposed => Some(call.claimed.lock.callee.unwrap_or(false)),
        Outcome::Ended if call.claimed.because == [Reason::NoAnswer] => Some(call.expected.can_be_sealed),
        Outcome::Ended | Outcome::NotPlaced => None,
    }
}

fn says_not_applied(case: &Case<'_>, call: &Call<'_>, user: &UserId, setting: Feature) -> bool {
    let claims = case.evidence.world.claims.iter().filter(|claim| claim.call == call.id());
    let says = claims.filter(|claim| claim.claim == Claimed::NotApplied(setting)).map(|claim| &claim.device);
    says.collect::<BTreeSet<&DeviceId>>().iter().any(|device| device.user == *user)
}

#[cfg(test)]
mod tests {
    use model::plan::{Plan, Verb};
    use model::record::{Claim, Claimed, WorldRecord};
    use model::release::{Feature, ReleaseName};
    use model::{DeviceId, Reason, Verdict};

    use crate::bench::plans::{both_on, step, user};
    use crate::bench::story::Story;
    use crate::bench::trial::Trial;

    const NAME: &str = "features/settings-stay-out-of-sealed-calls";

    fn with_voicemail() -> Plan {
        let mut plan = both_on();
        let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
        tenant.users.get_mut("bob").expect("bob").voicemail = true;
        plan
    }

    fn logged(world: &mut WorldRecord) {
        let call = world.calls[0].call.clone();
        let claim = Claimed::NotApplied(Feature::Voicemail);
        world.claims.push(Claim { device: DeviceId::only(user("bob")), call, at_ns: 0, claim });
    }

    #[test]
    fn a_sealed_call_that_says_so_and_an_ordinary_one_that_does_not_pass() {
        let sealed = Story { retell: logged, ..Story::sealed(with_voicemail()) };
        for story in [sealed, Story::ordinary(with_voicemail())] {
            let trial = Trial::of(&story);
            assert_eq!((trial.failing(), trial.verdict(NAME)), (vec![], Some(Verdict::Pass)));
        }
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), None);
    }

    #[test]
    fn a_sealed_call_that_says_nothing_fails() {
        let trial = Trial::of(&Story::sealed(with_voicemail()));
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(trial.text(NAME), "the callee of call does not say that voicemail was not applied");
    }

    #[test]
    fn an_ordinary_call_that_says_so_fails() {
        let trial = Trial::of(&Story { retell: logged, ..Story::ordinary(with_voicemail()) });
        assert_eq!(trial.failing(), [NAME]);
    }

    #[test]
    fn a_release_that_still_had_voicemail_must_not_say_so() {
        let mut plan = with_voicemail();
        plan.release = ReleaseName::Preview202110;
        for user in plan.tenants.values_mut().flat_map(|tenant| tenant.users.values_mut()) {
            user.preview_ring = true;
        }
        assert_eq!(Trial::of(&Story::sealed(plan.clone())).verdict(NAME), Some(Verdict::Pass));
        let trial = Trial::of(&Story { retell: logged, ..Story::sealed(plan) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Fail));
    }

    #[test]
    fn a_call_that_nobody_answered_says_so_where_it_could_have_been_sealed() {
        let mut plan = with_voicemail();
        plan.steps.truncate(1);
        plan.steps.push(step(Verb::Ignore(DeviceId::only(user("bob")))));
        let unanswered: fn(&mut WorldRecord) = |world| {
            world.ledger.clear();
            world.claims.retain(|claim| matches!(claim.claim, Claimed::Ended { .. }));
            for claim in &mut world.claims {
                let own = claim.claim == Claimed::Ended { reason: None, own: true };
                claim.claim = Claimed::Ended { reason: Some(Reason::NoAnswer), own };
            }
        };
        let trial = Trial::of(&Story { retell: unanswered, ..Story::sealed(plan.clone()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Fail));
        plan.tenants.values_mut().flat_map(|t| t.users.values_mut()).for_each(|user| user.e2ee = false);
        let trial = Trial::of(&Story { retell: unanswered, ..Story::sealed(plan) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }
}
