//! Plans and what they come to.

use model::attack::{Attack, Place};
use model::flaw::Flaw;
use model::plan::{
    AttackPlan, CallExpect, CallKind, Control, Group, PolicyStep, PolicyVerb, Target, Trigger, User,
};
use model::plan::{Plan, PolicyValue, StepResult, Verb};
use model::release::{Feature, Platform, ReleaseName, TenantKind, Version};
use model::{DeviceId, Kind, Role};
use rstest::rstest;

use super::*;
use crate::bench::plans::{both_on, call, call_between, step, user};

fn change(plan: &mut Plan, name: &str, change: impl FnOnce(&mut User)) {
    let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
    change(tenant.users.get_mut(name).expect("a user"));
}

fn only(plan: &Plan) -> ExpectedCall {
    let mut calls = expect(plan).calls;
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

#[test]
fn a_call_of_two_who_have_turned_it_on_is_sealed() {
    let call = only(&both_on());
    assert_eq!((call.outcome, call.because.len()), (Outcome::Sealed, 0));
    assert_eq!((call.lock, call.codes, call.devices), (Sides::Both, Codes::Equal, Some(2)));
    assert_eq!(call.heard.get(&Listener::Trudy), Some(&Heard::None));
    assert_eq!(call.heard.get(&Listener::Parties), Some(&Heard::All));
    assert!(call.talks && !call.heard.contains_key(&Listener::Mallory));
}

#[rstest]
#[case::caller_off("alice", |u: &mut User| u.e2ee = false, Reason::CallerSwitchedOff)]
#[case::callee_off("bob", |u: &mut User| u.e2ee = false, Reason::CalleeSwitchedOff)]
#[case::caller_policy("alice", |u: &mut User| u.policy = None, Reason::CallerPolicy)]
#[case::callee_platform("bob", |u: &mut User| u.devices = vec![(None, Platform::Web)], Reason::CalleePlatform)]
#[case::caller_version("alice", |u: &mut User| u.version = Version::Outdated, Reason::CallerVersion)]
#[case::callee_compliance("bob", |u: &mut User| u.compliance_recording = true, Reason::CalleeComplianceRecording)]
fn one_reason_makes_a_call_ordinary(#[case] who: &str, #[case] how: fn(&mut User), #[case] reason: Reason) {
    let mut plan = both_on();
    change(&mut plan, who, how);
    let call = only(&plan);
    assert_eq!((call.outcome, call.because), (Outcome::Ordinary, vec![reason]));
    assert_eq!((call.lock, call.codes), (Sides::None, Codes::None));
    assert_eq!(call.heard.get(&Listener::Trudy), Some(&Heard::All));
}

#[test]
fn all_reasons_that_hold_are_listed_in_the_order_of_the_design() {
    let mut plan = both_on();
    change(&mut plan, "bob", |u| (u.e2ee, u.policy) = (false, None));
    change(&mut plan, "alice", |u| u.devices = vec![(None, Platform::Linux)]);
    plan.tenants.get_mut("contoso.example").expect("the tenant").kind = TenantKind::Developer;
    plan.release = ReleaseName::Preview202109;
    let Verb::Call { kind, .. } = &mut plan.steps[0].verb else { panic!("a call") };
    *kind = CallKind::Scheduled;
    let words: Vec<_> = only(&plan).because.iter().map(|r| r.word()).collect();
    assert_eq!(
        words.join(" "),
        "callee-policy callee-switched-off caller-platform caller-preview-ring callee-preview-ring \
         caller-tenant-kind callee-tenant-kind scheduled"
    );
}

#[test]
fn of_a_telephone_number_nothing_of_a_callee_is_asked() {
    let mut plan = both_on();
    let Verb::Call { to, .. } = &mut plan.steps[0].verb else { panic!("a call") };
    *to = Target::Number("tel:+3225550100".to_owned());
    assert_eq!(only(&plan).because, [Reason::Pstn]);
}

#[test]
fn in_a_call_to_several_a_reason_of_any_callee_holds() {
    let mut plan = both_on();
    let carol = plan.tenants["contoso.example"].users["bob"].clone();
    let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
    tenant.users.insert("carol".to_owned(), User { e2ee: false, ..carol });
    plan.steps[0] = call_between(user("alice"), vec![user("bob"), user("carol")], 0);
    assert_eq!(only(&plan).because, [Reason::CalleeSwitchedOff, Reason::GroupCall]);
}

#[rstest]
#[case::declined(Verb::Decline(DeviceId::only(user("bob"))), Outcome::Ended, Reason::Declined)]
#[case::ignored(Verb::Ignore(DeviceId::only(user("bob"))), Outcome::Ended, Reason::NoAnswer)]
fn a_call_that_nobody_takes_has_its_reason(
    #[case] verb: Verb,
    #[case] outcome: Outcome,
    #[case] reason: Reason,
) {
    let mut plan = both_on();
    plan.steps.truncate(1);
    plan.steps.push(step(verb));
    let call = only(&plan);
    assert_eq!((call.outcome, call.because, call.devices), (outcome, vec![reason], Some(0)));
    assert!(call.heard.is_empty());
}

#[test]
fn the_answering_device_decides_about_the_platform() {
    let mut plan = both_on();
    let devices = vec![(Some("desk".to_owned()), Platform::Windows), (Some("web".to_owned()), Platform::Web)];
    change(&mut plan, "bob", |u| u.devices = devices);
    assert_eq!(only(&plan).outcome, Outcome::Sealed);
    let web = DeviceId { user: user("bob"), device: Some("web".to_owned()) };
    plan.steps.insert(1, step(Verb::Answer(web.clone())));
    let call = only(&plan);
    assert_eq!((call.because, call.parties[1].clone()), (vec![Reason::CalleePlatform], web));
}

fn request(verb: PolicyVerb, name: Option<&str>) -> PolicyStep {
    PolicyStep {
        verb,
        name: name.map(str::to_owned),
        value: None,
        user: None,
        group: None,
        tenant: "contoso.example".to_owned(),
        rank: None,
        as_admin_of: None,
    }
}

#[rstest]
#[case::at_once(0, Outcome::Sealed)]
#[case::before_the_delay(999, Outcome::Sealed)]
#[case::after_the_delay(1_000, Outcome::Ordinary)]
fn a_change_of_policy_counts_after_its_delay(#[case] wait_ms: u64, #[case] outcome: Outcome) {
    let mut plan = both_on();
    let set = PolicyStep { value: Some("Disabled".to_owned()), ..request(PolicyVerb::Set, Some("Counsel")) };
    plan.steps.insert(0, step(Verb::Wait { ms: wait_ms }));
    plan.steps.insert(0, step(Verb::Policy(set)));
    assert_eq!(only(&plan).outcome, outcome);
}

#[test]
fn a_change_during_a_call_changes_the_next_call_alone() {
    let mut plan = both_on();
    let hang_up = plan.steps.pop().expect("a step");
    plan.steps.insert(1, step(Verb::Toggle { user: user("bob"), e2ee: false }));
    plan.steps.push(hang_up);
    plan.steps.push(call_between(user("alice"), vec![user("bob")], 1));
    plan.calls.push("call2".to_owned());
    let outcomes: Vec<_> = expect(&plan).calls.iter().map(|c| c.outcome).collect();
    assert_eq!(outcomes, [Outcome::Sealed, Outcome::Ordinary]);
}

#[test]
fn the_group_with_the_best_rank_decides_where_nothing_is_assigned_directly() {
    let mut plan = both_on();
    plan.release = ReleaseName::R202308;
    change(&mut plan, "bob", |u| u.policy = None);
    let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
    let group = |policy: &str, rank| Group {
        members: vec!["bob".to_owned()],
        policy: Some(policy.to_owned()),
        rank: Some(rank),
    };
    tenant.groups.insert("a".to_owned(), group("Global", 2));
    tenant.groups.insert("b".to_owned(), group("Counsel", 1));
    assert_eq!(only(&plan).outcome, Outcome::Sealed);
    plan.steps.insert(0, step(Verb::Wait { ms: 1_000 }));
    plan.steps.insert(0, step(Verb::Leave { group: "b".to_owned(), user: user("bob") }));
    assert_eq!(only(&plan).because, [Reason::CalleePolicy]);
}

#[rstest]
#[case::unknown_value(PolicyStep { value: Some("Enabled".to_owned()), ..request(PolicyVerb::Set, Some("Global")) }, "unknown-value")]
#[case::unknown_policy(request(PolicyVerb::Get, Some("Nobody")), "unknown-policy")]
#[case::global(request(PolicyVerb::Remove, Some("Global")), "global-cannot-be-removed")]
#[case::in_use(request(PolicyVerb::Remove, Some("Counsel")), "policy-in-use")]
#[case::space(request(PolicyVerb::New, Some("Two Words")), "name-not-allowed")]
#[case::other_tenant(PolicyStep { as_admin_of: Some("fabrikam.example".to_owned()), ..request(PolicyVerb::Get, Some("Global")) }, "not-authorised")]
#[case::groups(PolicyStep { group: Some("g".to_owned()), ..request(PolicyVerb::Grant, Some("Global")) }, "groups-not-supported")]
fn a_request_is_refused_by_name(#[case] refused: PolicyStep, #[case] reason: &str) {
    let mut plan = both_on();
    plan.steps.insert(0, step(Verb::Policy(refused)));
    let expected = expect(&plan);
    let step = expected.steps.get(&0).expect("a result");
    assert_eq!((step.result, step.reason.as_deref()), (Some(StepResult::Refused), Some(reason)));
    assert_eq!(expected.calls[0].outcome, Outcome::Sealed);
}

#[test]
fn a_feature_is_refused_in_a_sealed_call_and_works_in_an_ordinary_one() {
    let mut plan = both_on();
    let invoke = |feature| step(Verb::Invoke { feature, by: user("alice"), with: None });
    plan.steps.insert(1, invoke(Feature::Recording));
    plan.steps.insert(2, invoke(Feature::Park));
    let refused = expect(&plan).steps;
    assert_eq!((refused[&1].result, refused[&1].control), (Some(StepResult::Refused), Some(Control::Absent)));
    assert_eq!(refused[&2].reason.as_deref(), Some("sealed-call"));
    change(&mut plan, "bob", |u| u.e2ee = false);
    let works = expect(&plan).steps;
    assert_eq!((works[&1].result, works[&1].reason.as_deref()), (Some(StepResult::Works), None));
    assert_eq!(works[&2].reason.as_deref(), Some("accepted"));
}

#[test]
fn a_statement_that_the_plan_contradicts_is_found_where_it_stands() {
    let mut plan = both_on();
    plan.expect[0] = CallExpect {
        outcome: Some(Outcome::Ordinary),
        because: Some(vec![Reason::CallerPolicy]),
        lock: Some(Sides::Both),
        fails: vec!["proof/unheard".to_owned()],
        ..CallExpect::default()
    };
    let found = disagreements(&plan, &expect(&plan));
    let places: Vec<_> = found.iter().map(|d| d.place.join(".")).collect();
    assert_eq!(places, ["expect.outcome", "expect.because", "expect.fails"]);
    assert_eq!(found[0].text, "the plan comes to `sealed`, not `ordinary`; change the statement or the plan");
}

fn attack(place: Place) -> AttackPlan {
    AttackPlan {
        attack: Attack::SubstitutePublicKey,
        place,
        legs: vec![Role::Caller, Role::Callee],
        at: Trigger { media: Some(Kind::Audio), ..Trigger::default() },
        must_fire: 1,
        options: BTreeMap::new(),
    }
}

#[rstest]
#[case::not_stated(Place::Service, None, &["expect"])]
#[case::exposed_on_the_wire(Place::Wire, Some(Outcome::Exposed), &["expect.outcome"])]
#[case::exposed_in_the_service(Place::Service, Some(Outcome::Exposed), &[])]
#[case::ended_without_cause(Place::Service, Some(Outcome::Ended), &["expect"])]
fn an_attack_needs_an_outcome_within_the_table(
    #[case] place: Place,
    #[case] outcome: Option<Outcome>,
    #[case] places: &[&str],
) {
    let mut plan = both_on();
    plan.attacks = vec![attack(place)];
    plan.expect[0].outcome = outcome;
    let found = disagreements(&plan, &expect(&plan));
    assert_eq!(found.iter().map(|d| d.place.join(".")).collect::<Vec<_>>(), places);
}

#[test]
fn a_sealed_call_under_attack_lets_nobody_hear() {
    let mut plan = both_on();
    plan.attacks = vec![attack(Place::Service)];
    plan.expect[0].outcome = Some(Outcome::Sealed);
    plan.expect[0].heard.insert(Listener::Mallory, Heard::All);
    let found = disagreements(&plan, &expect(&plan));
    assert_eq!(found.iter().map(|d| d.place.join(".")).collect::<Vec<_>>(), ["expect.heard"]);
}

#[test]
fn a_flaw_needs_a_check_that_catches_it() {
    let mut plan = both_on();
    change(&mut plan, "alice", |u| u.flaw = Some(Flaw::NoSealing));
    plan.expect[0].outcome = Some(Outcome::Sealed);
    assert_eq!(disagreements(&plan, &expect(&plan)).len(), 1);
    plan.expect[0].fails = vec!["proof/unheard".to_owned()];
    assert_eq!(disagreements(&plan, &expect(&plan)), []);
    assert!(only(&plan).stated);
}

#[test]
fn a_busy_callee_is_not_reached() {
    let mut plan = both_on();
    plan.steps.pop();
    plan.steps.push(call());
    plan.calls.push("call2".to_owned());
    let second = expect(&plan).calls.remove(1);
    assert_eq!((second.outcome, second.because), (Outcome::NotPlaced, vec![Reason::Busy]));
}

#[test]
fn the_value_of_a_policy_that_was_removed_is_off() {
    let mut plan = both_on();
    let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
    tenant.policies.insert("Global".to_owned(), PolicyValue::DisabledUserOverride);
    change(&mut plan, "alice", |u| u.policy = None);
    assert_eq!(only(&plan).outcome, Outcome::Sealed, "Global counts where nothing is assigned");
}
