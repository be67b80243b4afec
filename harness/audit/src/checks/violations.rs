//! One story per check that breaks what the check is for, with everything that must fail of it.
//!
//! Invariant: a check beside the proof legs has a story here or tests at its own foot; the legs are tested with the
//! judge.

use std::collections::BTreeSet;
use std::path::Path;

use model::Verdict;
use model::plan::{Control, PolicyStep, PolicyVerb, StepResult, Verb};
use model::record::{Claimed, StepRecord, WorldRecord};
use model::release::Feature;
use rstest::rstest;
use serde_json::json;

use super::CHECKS;
use crate::bench::plans::{both_on, step, user};
use crate::bench::signals::{Signal, Signals};
use crate::bench::story::{ALICE, BOB, CALL, Datagram, Story};
use crate::bench::trial::Trial;

fn sealed() -> Story {
    Story::sealed(both_on())
}

fn older_dtls() -> Story {
    let tamper: fn(&mut Vec<Datagram>) = |datagrams| {
        for bytes in datagrams.iter_mut().map(|d| &mut d.bytes).filter(|b| b.get(13) == Some(&2)) {
            bytes[25..27].copy_from_slice(&[0xFE, 0xFF]);
        }
    };
    Story { tamper, ..sealed() }
}

fn step_record(result: StepResult, control: Option<Control>) -> StepRecord {
    StepRecord { at_ns: 0, result: Some(result), reason: None, control, answer: None }
}

fn recording_that_works() -> Story {
    let mut plan = both_on();
    plan.steps.insert(1, step(Verb::Invoke { feature: Feature::Recording, by: user("alice"), with: None }));
    let signals: fn(&mut Signals) = |signals| {
        for (from_client, kind) in [(true, "invoke"), (false, "invoked")] {
            let call = hex::encode(CALL);
            let json = json!({ "type": kind, "call": call, "feature": "recording", "result": "accepted", "with": "" });
            signals.signals.push(Signal { side: ALICE, from_client, json });
        }
    };
    let retell: fn(&mut WorldRecord) = |world| {
        world.steps.insert(1, step_record(StepResult::Works, Some(Control::Absent)));
    };
    Story { signals, retell, ..Story::sealed(plan) }
}

fn controls_of_an_ordinary_call() -> Story {
    let retell: fn(&mut WorldRecord) = |world| {
        for claim in &mut world.claims {
            if let Claimed::Controls(shown) = &mut claim.claim {
                *shown = vec![Feature::Recording];
            }
        }
    };
    Story { retell, ..sealed() }
}

fn key_of_low_order() -> Story {
    Story { signals: |s| s.alter(BOB, false, "reveal", "epk", "00".repeat(32).into()), ..sealed() }
}

fn another_commitment() -> Story {
    Story { signals: |s| s.alter(BOB, false, "offer", "commit", "01".repeat(32).into()), ..sealed() }
}

fn another_confirmation() -> Story {
    Story {
        signals: |s| s.alter(ALICE, false, "confirm", "confirmation", "01".repeat(32).into()),
        ..sealed()
    }
}

fn no_confirmation() -> Story {
    let signals: fn(&mut Signals) =
        |s| s.signals.retain(|signal| signal.side != ALICE || signal.json["type"] != "confirm");
    Story { signals, ..sealed() }
}

fn codes_of_their_own() -> Story {
    let retell: fn(&mut WorldRecord) = |world| {
        for claim in &mut world.claims {
            if let Claimed::Code(code) = &mut claim.claim {
                "00000 00000 00000 00000".clone_into(code);
            }
        }
    };
    Story { retell, ..sealed() }
}

fn no_seal() -> Story {
    Story { seals: [false, true], ..sealed() }
}

fn a_frame_before_the_answer() -> Story {
    let tamper: fn(&mut Vec<Datagram>) = |datagrams| {
        let first = datagrams.iter_mut().find(|d| d.from == ALICE && d.bytes[0] == 0x80).expect("media");
        first.at_ns = 1_000_000;
    };
    Story { tamper, ..sealed() }
}

fn ordinary_without_a_reason() -> Story {
    Story { plan: both_on(), ..Story::ordinary(both_on()) }
}

fn a_request_that_is_refused() -> Story {
    let mut plan = both_on();
    let request = PolicyStep {
        verb: PolicyVerb::Get,
        name: Some("Global".to_owned()),
        value: None,
        user: None,
        group: None,
        tenant: "contoso.example".to_owned(),
        rank: None,
        as_admin_of: None,
    };
    plan.steps.push(step(Verb::Policy(request)));
    let retell: fn(&mut WorldRecord) = |world| {
        world.steps.insert(3, step_record(StepResult::Refused, None));
    };
    Story { retell, ..Story::sealed(plan) }
}

fn a_lock_in_an_ordinary_call() -> Story {
    let retell: fn(&mut WorldRecord) = |world| {
        let lock = world.claims.iter_mut().find(|claim| claim.claim == Claimed::Lock(false)).expect("a lock");
        lock.claim = Claimed::Lock(true);
    };
    Story { retell, ..Story::ordinary(both_on()) }
}

const CODE: &str = "keys/security-code-is-recomputed";
const CONFIRMED: &str = "keys/confirmations-are-recomputed";

#[rstest]
#[case::older_dtls(older_dtls(), &["dtls/version-and-profile-are-strong"])]
#[case::recording(recording_that_works(), &["features/are-withheld-as-the-release-says"])]
#[case::controls(controls_of_an_ordinary_call(), &["features/controls-match-the-release"])]
#[case::low_order(
    key_of_low_order(), &[CODE, "keys/commitment-is-kept", "keys/agreement-is-contributory", CONFIRMED]
)]
#[case::commitment(another_commitment(), &[CODE, "keys/commitment-is-kept", CONFIRMED])]
#[case::confirmation(another_confirmation(), &[CONFIRMED])]
#[case::unconfirmed(
    no_confirmation(), &["screens/lock-only-when-sealed", CONFIRMED, "media/no-frame-before-confirmation"]
)]
#[case::code(codes_of_their_own(), &[CODE])]
#[case::no_seal(no_seal(), &["media/frames-of-sealed-calls-are-sealed", "media/unopened-frames-are-not-played"])]
#[case::early(
    a_frame_before_the_answer(),
    &[
        "media/no-frame-before-answer", "media/no-frame-before-confirmation", "dtls/handshake-ends-before-media",
    ]
)]
#[case::ordinary(
    ordinary_without_a_reason(), &["outcome/is-what-the-plan-comes-to", "policy/outcome-follows-settings"]
)]
#[case::request(a_request_that_is_refused(), &["policy/requests-are-answered-as-documented"])]
#[case::lock(
    a_lock_in_an_ordinary_call(),
    &[
        "outcome/is-what-the-plan-comes-to", "screens/lock-only-when-sealed",
        "media/frames-of-sealed-calls-are-sealed", "media/unopened-frames-are-not-played", "features/controls-match-the-release",
    ]
)]
fn a_violation_fails_its_checks_and_no_other(#[case] story: Story, #[case] failing: &[&str]) {
    assert_eq!(Trial::of(&story).failing_beside_legs(), failing);
}

#[test]
fn a_call_that_is_as_it_should_be_fails_nothing() {
    for story in [sealed(), Story::ordinary(both_on())] {
        let trial = Trial::of(&story);
        assert_eq!(trial.failing(), [] as [&str; 0]);
        for check in CHECKS.iter().filter(|check| check.name() != "proof/twin") {
            let verdict = trial.verdict(&check.name());
            assert!(matches!(verdict, None | Some(Verdict::Pass)), "{}: {verdict:?}", check.name());
        }
    }
}

#[test]
fn every_check_beside_the_legs_has_a_violation() {
    let source = include_str!("violations.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let without: BTreeSet<String> = CHECKS
        .iter()
        .filter(|check| {
            let text = std::fs::read_to_string(root.join(check.file)).expect("the file of the check");
            !text.contains("Trial::of(") && !source.contains(&format!("\"{}\"", check.name()))
        })
        .map(|check| check.name())
        .filter(|name| !name.starts_with("proof/"))
        .collect();
    assert_eq!(without, BTreeSet::new());
}
