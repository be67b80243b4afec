//! Which twin a plan gets, and which plans share one.

use model::plan::Plan;
use model::record::WorldKind;

use super::*;

fn both_on() -> Plan {
    let text = include_str!("../../../../scenarios/opt-in/both-on.yaml");
    let vocabulary = scenario::Vocabulary::default();
    let read = scenario::read("opt-in", "both-on", "scenarios/opt-in/both-on.yaml", text, &vocabulary);
    read.expect("the scenario is sound").remove(0).plan
}

fn both_at_once() -> Plan {
    let text = include_str!("../../../../scenarios/call-kinds/both-call-at-once.yaml");
    let vocabulary = scenario::Vocabulary::default();
    let read = scenario::read("call-kinds", "both-call-at-once", "both-call-at-once.yaml", text, &vocabulary);
    read.expect("the scenario is sound").remove(0).plan
}

fn of(plan: &Plan, outcome: Outcome, because: &[Reason]) -> Option<Plan> {
    twin_of(plan, &[(outcome, because.to_vec())]).expect("a twin can be formed")
}

#[test]
fn a_sealed_call_is_run_again_with_every_option_off() {
    let plan = both_on();
    let twin = of(&plan, Outcome::Sealed, &[]).expect("a sealed call has a twin");
    assert!(twin.tenants.values().flat_map(|t| t.users.values()).all(|user| !user.e2ee));
    assert_eq!(twin.steps.len(), plan.steps.len());
    assert_eq!(of(&plan, Outcome::Ordinary, &[Reason::CallerSwitchedOff]), None);
}

#[test]
fn a_declined_call_is_answered_in_its_twin_and_carries_media() {
    let mut plan = both_on();
    let callee = "bob@contoso.example".parse().expect("a device");
    let call = plan.steps[0].clone();
    let decline = Step { verb: Verb::Decline(callee), call: Some(0), expect: None, twin: None };
    plan.steps = vec![call, decline];
    let twin = of(&plan, Outcome::Ended, &[Reason::Declined]).expect("an ended call has a twin");
    assert!(matches!(twin.steps[1].verb, Verb::Answer(_)));
    assert!(matches!(twin.steps[2].verb, Verb::Talk { .. }));
}

#[test]
fn calls_that_cross_are_placed_one_after_the_other_and_both_carry_media() {
    let plan = both_at_once();
    assert_eq!(plan.crossings().collect::<Vec<_>>(), [[0, 1]]);
    for (outcome, because) in
        [(Outcome::Sealed, vec![]), (Outcome::Ordinary, vec![Reason::CallerSwitchedOff])]
    {
        let twin = of(&plan, outcome, &because).expect("the call that does not stand has a twin");
        assert_eq!(twin.crossings().count(), 0);
        let talks = twin.steps.iter().filter(|step| matches!(step.verb, Verb::Talk { .. }));
        assert_eq!(talks.map(|step| step.call).collect::<Vec<_>>(), [Some(0), Some(1)]);
    }
}

#[test]
fn a_cause_that_no_step_names_has_no_twin() {
    let error = twin_of(&both_on(), &[(Outcome::Ended, vec![Reason::ClientFailed])]).expect_err("no twin");
    assert!(error.to_string().contains("write `twin:"), "{error}");
}

#[test]
fn a_call_that_a_flaw_ends_has_honest_clients_in_its_twin() {
    let mut plan = both_on();
    let users = plan.tenants.values_mut().flat_map(|t| t.users.values_mut());
    users.for_each(|user| user.flaw = Some(model::flaw::Flaw::SealingNeverStarts));
    let twin = of(&plan, Outcome::Ended, &[Reason::UnsealedFrame]).expect("a twin");
    assert_eq!((twin.flaws(), twin.attacks.len()), (vec![], 0));
    assert_eq!(twin.steps, plan.steps);
}

#[test]
fn twins_that_differ_in_name_only_are_one() {
    let plan = both_on();
    let mut other = plan.clone();
    (other.id, other.title) = ("other/name".to_owned(), "Another title".to_owned());
    assert_eq!(key(&plan), key(&other));
    other.profile = model::plan::Profile::Dtls;
    assert_ne!(key(&plan), key(&other));
    assert_eq!(WorldKind::Twin.word(), "twin");
}
