//! Every scenario that the binary carries can be read, and says what it seems to say.

use model::flaw::Flaw;
use model::identity::{DeviceId, UserId};
use model::media::Kind;
use model::outcome::Outcome;
use model::plan::{CallKind, Codes, Path, Profile, Sides, Target, Verb};

use crate::vocabulary;

fn user(name: &str) -> UserId {
    UserId::new(name, "contoso.example")
}

#[test]
fn every_scenario_of_the_repository_is_read() {
    let all = scenario::builtin();
    assert!(!all.is_empty());
    for file in all {
        let path = format!("scenarios/{}/{}.yaml", file.family, file.stem);
        let plans = scenario::read(file.family, file.stem, &path, file.text, &vocabulary());
        assert!(plans.as_ref().is_ok_and(|plans| !plans.is_empty()), "{path}: {:?}", plans.err());
    }
}

#[test]
fn the_plainest_sealed_call_becomes_a_plan_with_every_default() {
    let all = scenario::builtin();
    let file = all.iter().find(|f| f.stem == "both-on").expect("there");
    let plans =
        scenario::read(file.family, file.stem, "both-on.yaml", file.text, &vocabulary()).expect("reads");
    let [checked] = plans.as_slice() else { panic!("one variant") };
    let plan = &checked.plan;
    assert_eq!((plan.id.as_str(), plan.family.as_str()), ("opt-in/both-on", "opt-in"));
    assert_eq!(
        (plan.profile, plan.path, plan.net, plan.propagation_ms),
        (Profile::Frames, Path::Forwarder, None, 1000)
    );
    assert_eq!(plan.release, model::release::ReleaseName::Ga202203);
    let verbs: Vec<&Verb> = plan.steps.iter().map(|s| &s.verb).collect();
    let call = Verb::Call {
        from: user("alice"),
        to: Target::Users(vec![user("bob")]),
        media: vec![Kind::Audio],
        kind: CallKind::Unscheduled,
    };
    assert_eq!(verbs, [&call, &Verb::Talk { ms: 2000 }, &Verb::HangUp(DeviceId::only(user("alice")))]);
    assert!(plan.steps.iter().all(|s| s.call == Some(0)));
    assert_eq!(plan.calls, ["call"]);
    let [expect] = plan.expect.as_slice() else { panic!("one call") };
    assert_eq!(expect.outcome, Some(Outcome::Sealed));
    assert_eq!((expect.lock, expect.codes, expect.devices), (Some(Sides::Both), Some(Codes::Equal), Some(2)));
    assert!(plan.user(&user("alice")).expect("alice").e2ee);
}

#[test]
fn the_flaw_stands_on_the_client_that_has_it() {
    let all = scenario::builtin();
    let file = all.iter().find(|f| f.stem == "no-sealing").expect("there");
    let plans =
        scenario::read(file.family, file.stem, "no-sealing.yaml", file.text, &vocabulary()).expect("reads");
    let plan = &plans.first().expect("one").plan;
    assert_eq!(plan.flaws(), [Flaw::NoSealing]);
    assert_eq!(plan.expect.first().expect("one call").fails, ["proof/unheard", "proof/canary"]);
}
