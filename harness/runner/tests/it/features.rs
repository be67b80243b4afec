//! Features that bring somebody into a call: they move the media of an ordinary call and are refused in a sealed one.

use model::Kind;
use model::plan::{Control, NetKind, StepResult};
use model::record::{Claimed, Drop, WorldRecord};
use rstest::rstest;

use crate::conference::{claims, frames, not_passed_on, played, played_on};

const ALICE: &str = "alice@contoso.example";
const BOB: &str = "bob@contoso.example";
const CAROL: &str = "carol@contoso.example/desk";
const DAVE: &str = "dave@contoso.example";

/// An ordinary call (the callee has the option off) in which `by` invokes a feature with `with`.
fn invoked(feature: &str, by: &str, with: &str, media: &str) -> WorldRecord {
    played(&format!(
        "  - call: {{ from: alice, to: dave, media: {media} }}\n  - talk: 1s\n  - invoke: {{ feature: {feature}, \
         by: {by}, with: {with} }}\n  - talk: 1s"
    ))
}

fn result(world: &WorldRecord, step: usize) -> (Option<StepResult>, Option<&str>) {
    let step = world.steps.get(&step).expect("the step has a result");
    (step.result, step.reason.as_deref())
}

#[rstest]
#[case::by_the_caller("alice")]
#[case::by_the_callee("dave")]
fn somebody_who_is_added_hears_everybody_and_is_heard(#[case] by: &str) {
    let world = invoked("add-participant", by, "carol", "[audio, video]");
    assert_eq!(result(&world, 2), (Some(StepResult::Works), None));
    for (kind, n) in [(Kind::Audio, 50), (Kind::Video, 30)] {
        assert_eq!(frames(&world, ALICE, kind), (2 * n, 3 * n), "{kind}");
        assert_eq!(frames(&world, DAVE, kind), (2 * n, 3 * n), "{kind}");
        assert_eq!(frames(&world, CAROL, kind), (n, 2 * n), "{kind}");
    }
    assert_eq!(not_passed_on(&world), Vec::<&Drop>::new());
    assert!(!claims(&world, CAROL).iter().any(|c| matches!(c, Claimed::Lock(true))));
}

#[rstest]
#[case::by_the_caller("alice", ALICE, DAVE)]
#[case::by_the_callee("dave", DAVE, ALICE)]
fn a_call_that_is_passed_on_goes_on_without_the_one_who_did(
    #[case] by: &str,
    #[case] gone: &str,
    #[case] stays: &str,
) {
    let world = invoked("transfer-blind", by, "carol", "[audio]");
    assert_eq!(result(&world, 2), (Some(StepResult::Works), None));
    assert_eq!(frames(&world, gone, Kind::Audio), (50, 50));
    assert_eq!(frames(&world, stays, Kind::Audio), (100, 100));
    assert_eq!(frames(&world, CAROL, Kind::Audio), (50, 50));
    assert!(claims(&world, gone).contains(&&Claimed::Ended { reason: None, own: false }));
    assert_eq!(not_passed_on(&world), Vec::<&Drop>::new());
}

#[rstest]
#[case::added("add-participant")]
#[case::passed_on("transfer-blind")]
fn in_a_sealed_call_nobody_is_rung(#[case] feature: &str) {
    let world = played(&format!(
        "  - call: {{ from: alice, to: bob, media: [audio] }}\n  - talk: 1s\n  - invoke: {{ feature: {feature}, by: \
         alice, with: carol }}\n  - talk: 1s"
    ));
    assert_eq!(result(&world, 2), (Some(StepResult::Refused), Some("sealed-call")));
    assert_eq!(world.steps.get(&2).and_then(|step| step.control), Some(Control::Absent));
    assert_eq!(claims(&world, CAROL), Vec::<&Claimed>::new());
    for device in [ALICE, BOB] {
        assert_eq!(frames(&world, device, Kind::Audio), (100, 100), "the call goes on");
        assert!(claims(&world, device).contains(&&Claimed::Lock(true)));
    }
}

#[test]
fn somebody_who_is_in_another_call_is_not_rung() {
    let world = played(
        "  - call: { from: bob, to: carol, media: [audio], as: other }\n  - call: { from: alice, to: dave, media: \
         [audio], as: own }\n  - invoke: { feature: add-participant, by: alice, with: carol }\n  - talk: 1s\n  - \
         talk: 1s\n    in: other",
    );
    assert_eq!(result(&world, 2), (Some(StepResult::Refused), Some("busy")));
    for device in [ALICE, BOB, CAROL, DAVE] {
        assert_eq!(frames(&world, device, Kind::Audio), (50, 50), "{device}");
    }
}

#[test]
fn somebody_who_has_left_a_call_is_not_brought_back() {
    let world = played(
        "  - call: { from: alice, to: dave, media: [audio] }\n  - invoke: { feature: add-participant, by: alice, with: \
         carol }\n  - hang-up: dave\n  - invoke: { feature: add-participant, by: alice, with: dave }\n  - talk: 1s",
    );
    assert_eq!(result(&world, 3), (Some(StepResult::Refused), Some("busy")));
    assert_eq!(frames(&world, DAVE, Kind::Audio), (0, 0));
    assert_eq!(frames(&world, ALICE, Kind::Audio), (50, 50));
    assert_eq!(frames(&world, CAROL, Kind::Audio), (50, 50));
}

#[test]
fn whoever_has_passed_a_call_on_can_place_another() {
    let world = played(
        "  - call: { from: alice, to: dave, media: [audio] }\n  - invoke: { feature: transfer-blind, by: dave, with: \
         carol }\n  - talk: 1s\n  - hang-up: alice\n  - hang-up: carol\n  - call: { from: dave, to: bob, media: [audio] }\n  - talk: 1s\n  \
         - hang-up: dave",
    );
    assert_eq!(world.calls.len(), 2);
    assert_eq!(frames(&world, DAVE, Kind::Audio), (50, 50));
    assert_eq!(frames(&world, BOB, Kind::Audio), (50, 50));
}

#[test]
fn over_loopback_sockets_somebody_is_added_as_well() {
    let world = played_on(
        NetKind::Loopback,
        "  - call: { from: alice, to: dave, media: [audio] }\n  - invoke: { feature: add-participant, by: alice, with: \
         carol }\n  - talk: 1s",
    );
    assert_eq!(result(&world, 1), (Some(StepResult::Works), None));
    for device in [ALICE, DAVE, CAROL] {
        let (sent, played) = frames(&world, device, Kind::Audio);
        assert_eq!(sent, 50, "{device}");
        assert!(played > 90, "{device} played {played} of 100");
    }
}
