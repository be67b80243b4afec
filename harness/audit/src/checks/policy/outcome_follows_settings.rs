//! A call is sealed when policies and settings give no reason against it, and only then.

use model::outcome::{Outcome, Reason};
use model::plan::PolicyValue;
use model::results::Blame;
use model::{Role, UserId};

use super::super::keys::{blame, views};
use super::rows;
use crate::case::{Call, Case};
use crate::evidence::intent;
use crate::findings::{Findings, Located};
use crate::oracle::{self, ExpectedCall};

crate::declare_check! {
    /// ## What it checks
    /// Of every call that carries media, the reasons against sealing are worked out from the plan, and those of policy
    /// a second time from the policy server's database as it stood when the call was placed. Both must agree; no device
    /// may ask for a sealed call, in the offer or answer at its own link, while a reason of its own holds; and the call
    /// may be sealed only when none holds.
    ///
    /// ## Why it matters
    /// An administrator who switches the option off, and a user who does not switch it on, decide what a call is. A
    /// client that seals in spite of them hides calls that must be recorded.
    ///
    /// ## How it decides
    /// It passes when plan, database, intents and claim agree. It fails with each device, or the policy server, that
    /// does not. It is inconclusive when the database or the signalling does not say. A call that Mallory made ordinary
    /// is left to its scenario, because she can always do so, and so are policies that she forged on their way.
    summary: "calls are sealed when settings allow it, only then",
    requirements: ["overheard/sealed-exactly-without-a-reason", "overheard/intent-follows-settings"],
    applies: |case| calls(case).next().is_some(),
    judge: judge,
}

/// Calls that carry media, with what the plan comes to when nobody interferes.
fn calls<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (&'c Call<'a>, ExpectedCall)> {
    let computed = oracle::computed(case.plan).calls;
    let carries = |outcome| matches!(outcome, Outcome::Sealed | Outcome::Ordinary | Outcome::Exposed);
    let both = case.calls.iter().zip(computed);
    both.filter(move |(call, computed)| carries(call.claimed.outcome) && carries(computed.outcome))
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for (call, computed) in calls(case) {
        let forged = case.plan.attacks.iter().any(|a| a.attack == model::attack::Attack::ForgePolicy);
        let is_policy = |reason: &Reason| matches!(reason, Reason::CallerPolicy | Reason::CalleePolicy);
        let mut reasons = computed.because.clone();
        database(case, call, &computed, findings);
        reasons.retain(|reason| !(forged && is_policy(reason)));
        intents(case, call, &reasons, findings);
        findings.examine(1);
        let name = &call.expected.name;
        match call.claimed.outcome {
            Outcome::Sealed if !reasons.is_empty() => {
                let text = format!("{name} is sealed although {} holds", list(&reasons));
                let role = if is_callees(reasons[0]) { Role::Callee } else { Role::Caller };
                findings.fail(blame(role), text, Located::default());
            }
            Outcome::Ordinary if computed.because.is_empty() && case.plan.attacks.is_empty() => {
                let text = format!("{name} is ordinary although no reason holds against sealing it");
                findings.fail(Blame::CallService, text, Located::default());
            }
            _ => {}
        }
    }
}

fn list(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>().join(", ")
}

fn is_callees(reason: Reason) -> bool {
    reason.word().starts_with("callee-")
}

/// The policy of each party when the call was placed: the plan's word against the database's.
fn database(case: &Case<'_>, call: &Call<'_>, computed: &ExpectedCall, findings: &mut Findings) {
    let Some(record) = call.record else { return };
    let allows = |user: &UserId| {
        let value = rows::effective(&case.evidence.world.database, user, record.placed_ns);
        value.map(|value| value == PolicyValue::DisabledUserOverride)
    };
    let caller = [(&computed.from, Reason::CallerPolicy)];
    let callees = computed.to.iter().map(|user| (user, Reason::CalleePolicy));
    let several = computed.to.len() > 1;
    for (user, reason) in caller.into_iter().chain(callees) {
        let Some(allowed) = allows(user) else {
            findings.doubt(format!(
                "the policy server's database has no policy of {user}; run the scenario again"
            ));
            continue;
        };
        findings.examine(1);
        let forbidden = computed.because.contains(&reason);
        // With several called, the reason is one for all of them.
        if allowed == forbidden && !(several && allowed) {
            let (is, ought) = if allowed { ("allows", "forbid") } else { ("forbids", "allow") };
            let text = format!(
                "the policy server's database {is} {user} the option when {} is placed, and ought to {ought} it",
                call.expected.name
            );
            findings.fail(Blame::PolicyServer, text, Located::default());
        }
    }
}

/// What each device asks for at its own link.
fn intents(case: &Case<'_>, call: &Call<'_>, reasons: &[Reason], findings: &mut Findings) {
    for view in views(case, call) {
        let kind = if view.role == Role::Caller { "offer" } else { "answer" };
        let Some(message) = view.said(kind) else { continue };
        findings.examine(1);
        let own: Vec<Reason> = reasons
            .iter()
            .copied()
            .filter(|reason| match view.role {
                Role::Caller => !is_callees(*reason),
                Role::Callee => is_callees(*reason),
            })
            .collect();
        if intent(message) == 1 && !own.is_empty() {
            let mut located = Located::default();
            located.add(case.evidence.located(message.packet));
            let text = format!(
                "the {} of {} asks for sealing although {} holds",
                view.role,
                call.expected.name,
                list(&own)
            );
            findings.fail(blame(view.role), text, located);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use model::plan::Plan;
    use model::record::WorldRecord;

    use crate::bench::plans::both_on;
    use crate::bench::story::Story;
    use crate::bench::trial::Trial;

    const NAME: &str = "policy/outcome-follows-settings";

    fn with_bobs_policy(policy: Option<&str>) -> Plan {
        let mut plan = both_on();
        let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
        tenant.users.get_mut("bob").expect("bob").policy = policy.map(str::to_owned);
        plan
    }

    #[test]
    fn sealed_without_a_reason_and_ordinary_with_one_pass() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
        assert_eq!(Trial::of(&Story::ordinary(both_on())).verdict(NAME), Some(Verdict::Pass));
        assert_eq!(Trial::of(&Story::ordinary(with_bobs_policy(None))).verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_call_that_is_sealed_against_a_policy_fails() {
        let trial = Trial::of(&Story::sealed(with_bobs_policy(None)));
        assert_eq!(trial.failing(), ["outcome/is-what-the-plan-comes-to", NAME]);
        assert_eq!(trial.text(NAME), "the callee of call asks for sealing although callee-policy holds");
    }

    #[test]
    fn a_call_that_is_ordinary_without_a_reason_fails() {
        let mut story = Story::ordinary(both_on());
        story.plan = both_on();
        let trial = Trial::of(&story);
        assert_eq!(trial.failing(), ["outcome/is-what-the-plan-comes-to", NAME]);
        assert_eq!(trial.text(NAME), "call is ordinary although no reason holds against sealing it");
    }

    fn forbid(world: &mut WorldRecord) {
        for row in world.database.iter_mut().filter(|row| row.table == "policies") {
            row.values.insert("value".to_owned(), "Disabled".to_owned());
        }
    }

    #[test]
    fn a_database_that_says_otherwise_fails_and_nothing_else_does() {
        let trial = Trial::of(&Story { retell: forbid, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the policy server's database forbids alice@contoso.example the option when call is placed, and ought \
             to allow it"
        );
    }

    #[test]
    fn a_database_that_is_missing_shows_nothing() {
        let trial = Trial::of(&Story { retell: |world| world.database.clear(), ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
