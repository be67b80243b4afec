//! What a file comes to as a plan: every default filled in, everybody resolved.

use model::flaw::Flaw;
use model::identity::{DeviceId, UserId};
use model::media::Kind;
use model::outcome::{Listener, Outcome, Reason};
use model::plan::{
    CallKind, Codes, Group, Heard, ImpairFrom, Network, Path, Plan, PolicyStep, PolicyValue, PolicyVerb,
    Profile, Sides, Target, Verb,
};
use model::release::{Platform, ReleaseName, TenantKind, Version};

use crate::vocabulary;

const SHORT: &str = "\
scenario: '  A call '
tenants:
  contoso.example:
    users: { alice: {}, bob: {} }
steps:
  - call: { from: alice, to: bob, media: [audio] }
  - talk: 2s
  - hang-up: alice
";

fn plan(text: &str) -> Plan {
    let mut plans = scenario::read("opt-in", "a", "a.yaml", text, &vocabulary()).expect("reads");
    assert_eq!(plans.len(), 1);
    plans.remove(0).plan
}

fn user(name: &str) -> UserId {
    UserId::new(name, "contoso.example")
}

#[test]
fn what_is_not_written_has_the_defaults_of_the_design() {
    let plan = plan(SHORT);
    assert_eq!(
        (plan.id.as_str(), plan.family.as_str(), plan.title.as_str()),
        ("opt-in/a", "opt-in", "A call")
    );
    assert_eq!(
        (plan.release, plan.profile, plan.path),
        (ReleaseName::Ga202203, Profile::Frames, Path::Forwarder)
    );
    assert_eq!((plan.net, plan.network, plan.propagation_ms), (None, None, 1000));
    let tenant = &plan.tenants["contoso.example"];
    assert_eq!(tenant.kind, TenantKind::Commercial);
    assert_eq!(tenant.policies, [("Global".to_owned(), PolicyValue::Disabled)].into());
    let alice = &tenant.users["alice"];
    assert_eq!((alice.e2ee, &alice.policy, alice.flaw), (false, &None, None));
    assert_eq!(
        (alice.version, alice.devices.as_slice()),
        (Version::Current, [(None, Platform::Windows)].as_slice())
    );
    assert!(!alice.preview_ring && !alice.compliance_recording && !alice.voicemail);
    assert_eq!(plan.calls, ["call"]);
    assert_eq!(plan.expect, [model::plan::CallExpect::default()]);
    assert_eq!(plan.service, model::plan::Service::default());
}

#[test]
fn dtls_goes_direct_unless_told_otherwise() {
    assert_eq!(plan(&format!("profile: dtls\n{SHORT}")).path, Path::Direct);
    assert_eq!(plan(&format!("profile: dtls\npath: relay\n{SHORT}")).path, Path::Relay);
}

#[test]
fn steps_stand_in_the_plan_as_they_stand_in_the_file() {
    let plan = plan(SHORT);
    let verbs: Vec<&Verb> = plan.steps.iter().map(|s| &s.verb).collect();
    let call = Verb::Call {
        from: user("alice"),
        to: Target::Users(vec![user("bob")]),
        media: vec![Kind::Audio],
        kind: CallKind::Unscheduled,
    };
    assert_eq!(verbs, [&call, &Verb::Talk { ms: 2000 }, &Verb::HangUp(DeviceId::only(user("alice")))]);
    assert!(plan.steps.iter().all(|s| s.call == Some(0)));
}

#[test]
fn statements_are_those_of_the_file() {
    let text = format!(
        "{SHORT}expect: {{ outcome: ordinary, because: [caller-policy, pstn], lock: none, codes: none, heard: {{ trudy: all, eve: none }}, devices: 2, relayed: none }}\n"
    );
    let plan = plan(&text);
    let [expect] = plan.expect.as_slice() else { panic!("one call") };
    assert_eq!(expect.outcome, Some(Outcome::Ordinary));
    assert_eq!(expect.because, Some(vec![Reason::CallerPolicy, Reason::Pstn]));
    assert_eq!((expect.lock, expect.codes), (Some(Sides::None), Some(Codes::None)));
    assert_eq!(expect.heard, [(Listener::Trudy, Heard::All), (Listener::Eve, Heard::None)].into());
    assert_eq!((expect.devices, expect.relayed), (Some(2), Some(Sides::None)));
}

#[test]
fn several_calls_have_names_and_each_its_statements() {
    let text = format!(
        "{SHORT}  - call: {{ from: bob, to: alice, media: [video], as: back }}\n  - talk: 1s\n  - hang-up: bob\n  - call: {{ from: bob, to: alice, media: [video] }}\nexpect: {{ back: {{ devices: 2 }}, call: {{ devices: 1 }} }}\n"
    );
    let plan = plan(&text);
    assert_eq!(plan.calls, ["call", "back", "call-3"]);
    let devices: Vec<Option<usize>> = plan.expect.iter().map(|e| e.devices).collect();
    assert_eq!(devices, [Some(1), Some(2), None]);
    let calls: Vec<Option<usize>> = plan.steps.iter().map(|s| s.call).collect();
    assert_eq!(calls, [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), Some(2)]);
}

#[test]
fn a_flaw_stands_on_the_client_that_has_it() {
    let text = SHORT.replace("bob: {}", "bob: { flaw: no-sealing }");
    let plan = plan(&format!(
        "{text}service: {{ automatic-recording: true }}\nexpect: {{ outcome: sealed, fails: [proof/unheard], may-fail: [proof/heard] }}\n"
    ));
    assert_eq!(plan.flaws(), [Flaw::NoSealing]);
    assert_eq!(plan.user(&user("alice")).expect("alice").flaw, None);
    assert!(plan.service.automatic_recording);
    assert_eq!((plan.expect[0].fails.len(), plan.expect[0].may_fail.len()), (1, 1));
}

#[test]
fn devices_keep_the_order_of_the_file_and_the_first_one_answers() {
    let text = SHORT
        .replace("bob: {}", "bob: { devices: { tablet: ios, desk: windows } }")
        .replace("hang-up: alice", "hang-up: bob");
    let plan = plan(&text);
    let devices: Vec<String> =
        plan.user(&user("bob")).expect("bob").devices.iter().filter_map(|(name, _)| name.clone()).collect();
    assert_eq!(devices, ["tablet", "desk"]);
    let tablet = DeviceId { user: user("bob"), device: Some("tablet".to_owned()) };
    assert_eq!(plan.steps[2].verb, Verb::HangUp(tablet));
}

#[test]
fn requests_find_their_tenant_and_waits_their_time() {
    let text = "\
scenario: Requests
release: 2023-08
propagation: 3s
tenants:
  a.example:
    groups: { Board: { members: [alice], policy: Global, rank: 2 } }
    users: { alice: {} }
  b.example:
    users: { bob: {} }
steps:
  - policy: { grant: none, user: alice, as-admin-of: b.example }
    expect: { result: refused, reason: not-authorised }
  - policy: { grant: Global, group: Board, rank: 1 }
    twin: { wait: 5ms }
  - wait: propagation
  - leave: { group: Board, user: alice }
";
    let plan = plan(text);
    let grant = |name: Option<&str>| PolicyStep {
        verb: PolicyVerb::Grant,
        name: name.map(str::to_owned),
        value: None,
        user: None,
        group: None,
        tenant: "a.example".to_owned(),
        rank: None,
        as_admin_of: None,
    };
    let alice = UserId::new("alice", "a.example");
    let to_alice =
        PolicyStep { user: Some(alice.clone()), as_admin_of: Some("b.example".to_owned()), ..grant(None) };
    assert_eq!(plan.steps[0].verb, Verb::Policy(to_alice));
    let to_board = PolicyStep { group: Some("Board".to_owned()), rank: Some(1), ..grant(Some("Global")) };
    assert_eq!(plan.steps[1].verb, Verb::Policy(to_board));
    assert_eq!(plan.steps[1].twin.as_deref(), Some(&Verb::Wait { ms: 5 }));
    assert_eq!(plan.steps[2].verb, Verb::Wait { ms: 3000 });
    assert_eq!(plan.steps[3].verb, Verb::Leave { group: "Board".to_owned(), user: alice });
    assert!(plan.calls.is_empty() && plan.expect.is_empty());
    let board = Group { members: vec!["alice".to_owned()], policy: Some("Global".to_owned()), rank: Some(2) };
    assert_eq!(plan.tenants["a.example"].groups["Board"], board);
}

#[test]
fn a_twin_that_talks_talks_in_the_last_call() {
    let text = SHORT.replace("- talk: 2s", "- wait: 1s\n    twin: { talk: 1s }");
    let step = plan(&text).steps.remove(1);
    assert_eq!((step.twin.as_deref(), step.call), (Some(&Verb::Talk { ms: 1000 }), Some(0)));
}

#[test]
fn an_impaired_network_is_read_in_milliseconds_and_shares() {
    let network = "network: { latency: 1s, jitter: 3ms, loss: 2%, duplicate: 0.5%, from: start }";
    let read = plan(&format!("{network}\n{SHORT}")).network;
    let all =
        Network { latency_ms: 1000, jitter_ms: 3, loss: 0.02, duplicate: 0.005, from: ImpairFrom::Start };
    assert_eq!(read, Some(all));
    let some = plan(&format!("network: {{ loss: 1% }}\n{SHORT}")).network;
    assert_eq!(some, Some(Network { loss: 0.01, ..Network::default() }));
}
