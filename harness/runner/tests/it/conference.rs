//! Ordinary calls of more than two, telephones and scheduled calls: who hears whom.

use std::collections::BTreeSet;

use model::plan::NetKind;
use model::record::{Claimed, Drop, DroppedBy, WorldRecord};
use model::{Direction, Kind, Plan};
use rstest::rstest;

use crate::thread::run_on;

/// Everybody may turn the option on and has done so; `steps` is what happens.
pub(crate) fn story(steps: &str) -> Plan {
    let text = format!(
        "scenario: A call\nabout: A call of a test.\ntenants:\n  contoso.example:\n    policies: {{ Global: \
         DisabledUserOverride }}\n    users:\n      alice: {{ e2ee: on, platform: windows }}\n      bob: {{ \
         e2ee: on, platform: mac }}\n      carol: {{ e2ee: on, devices: {{ desk: windows, pocket: ios }} }}\n      \
         dave: {{ e2ee: off, platform: windows }}\nsteps:\n{steps}\n"
    );
    let vocabulary = scenario::Vocabulary::default();
    let read = scenario::read("call-kinds", "test", "test.yaml", &text, &vocabulary);
    read.expect("the scenario is sound").into_iter().next().expect("one variant").plan
}

pub(crate) fn played(steps: &str) -> WorldRecord {
    played_on(NetKind::Memory, steps)
}

pub(crate) fn played_on(net: NetKind, steps: &str) -> WorldRecord {
    let folder = tempfile::tempdir().expect("a folder");
    let world = run_on(net, story(steps), folder.path());
    assert_eq!(world.stumbles, [], "{:?}", world.log);
    world
}

/// Frames that a device has sent and played, of one kind.
pub(crate) fn frames(world: &WorldRecord, device: &str, kind: Kind) -> (usize, usize) {
    let count = |direction| {
        let own = world.ledger.iter().filter(|e| e.device.to_string() == device && e.kind == kind);
        own.filter(|e| e.direction == direction).count()
    };
    (count(Direction::Sent), count(Direction::Received))
}

/// Hashes of the frames that only the caller, or only a callee, can have sent: those with a marker.
fn marked(world: &WorldRecord, device: &str, direction: Direction) -> BTreeSet<String> {
    let own = world.ledger.iter().filter(|e| e.device.to_string() == device && e.direction == direction);
    let marked = own.filter(|e| direction == Direction::Received || e.index.is_multiple_of(10));
    marked.map(|e| e.sha256.clone()).collect()
}

pub(crate) fn claims<'a>(world: &'a WorldRecord, device: &str) -> Vec<&'a Claimed> {
    world.claims.iter().filter(|c| c.device.to_string() == device).map(|c| &c.claim).collect()
}

/// What a node did not pass on.
pub(crate) fn not_passed_on(world: &WorldRecord) -> Vec<&Drop> {
    world.drops.iter().filter(|drop| drop.by != DroppedBy::Network).collect()
}

const ALICE: &str = "alice@contoso.example";
const BOB: &str = "bob@contoso.example";
const CAROL: &str = "carol@contoso.example/desk";
const POCKET: &str = "carol@contoso.example/pocket";

#[rstest]
#[case::audio("[audio]", &[(Kind::Audio, 50)])]
#[case::everything("[audio, video, screen]", &[(Kind::Audio, 50), (Kind::Video, 30), (Kind::Screen, 30)])]
fn in_a_group_call_everybody_hears_the_two_others(#[case] media: &str, #[case] kinds: &[(Kind, usize)]) {
    let world = played(&format!(
        "  - call: {{ from: alice, to: [bob, carol], media: {media} }}\n  - talk: 1s\n  - hang-up: alice\n  - \
         talk: 1s\n  - hang-up: bob"
    ));
    for (kind, frames_in_1_s) in kinds {
        let n = *frames_in_1_s;
        assert_eq!(frames(&world, ALICE, *kind), (n, 2 * n), "{kind}");
        // After the caller has left, the two others go on with each other.
        assert_eq!(frames(&world, BOB, *kind), (2 * n, 3 * n), "{kind}");
        assert_eq!(frames(&world, CAROL, *kind), (2 * n, 3 * n), "{kind}");
        assert_eq!(frames(&world, POCKET, *kind), (0, 0), "{kind}");
    }
    for device in [BOB, CAROL] {
        let from_caller = marked(&world, ALICE, Direction::Sent);
        assert!(
            from_caller.is_subset(&marked(&world, device, Direction::Received)),
            "{device} hears the caller"
        );
    }
    assert_eq!(not_passed_on(&world), Vec::<&Drop>::new());
    for device in [ALICE, BOB, CAROL] {
        let claims = claims(&world, device);
        assert!(!claims.iter().any(|c| matches!(c, Claimed::Lock(true) | Claimed::Code(_))), "{device}");
        assert!(claims.contains(&&Claimed::Connected), "{device}");
    }
    assert!(claims(&world, POCKET).contains(&&Claimed::Ringing), "each device of each callee rings");
    let call = world.calls.first().expect("a call");
    assert!(call.connected_ns.is_some() && call.ended_ns.is_some());
}

#[test]
fn a_group_call_goes_on_without_those_who_decline() {
    let world = played(
        "  - call: { from: alice, to: [bob, carol, dave], media: [audio] }\n  - decline: bob\n  - answer: \
         carol/pocket\n  - talk: 1s\n  - hang-up: alice",
    );
    assert_eq!(frames(&world, BOB, Kind::Audio), (0, 0));
    assert_eq!(frames(&world, CAROL, Kind::Audio), (0, 0));
    for device in [ALICE, POCKET, "dave@contoso.example"] {
        assert_eq!(frames(&world, device, Kind::Audio), (50, 100), "{device}");
    }
}

#[test]
fn a_group_call_that_nobody_takes_is_declined() {
    let world = played(
        "  - call: { from: alice, to: [bob, dave], media: [audio] }\n  - decline: bob\n  - decline: dave",
    );
    assert_eq!(world.ledger, []);
    let declined = Claimed::Ended { reason: Some(model::outcome::Reason::Declined), own: false };
    assert!(claims(&world, ALICE).contains(&&declined));
}

#[test]
fn a_telephone_hears_the_caller_and_answers() {
    let world = played(
        "  - call: { from: alice, to: \"tel:+15550100\", media: [audio, video] }\n  - talk: 1s\n  - hang-up: \
         alice",
    );
    let telephone = "+15550100@pstn";
    assert_eq!(frames(&world, ALICE, Kind::Audio), (50, 50));
    assert_eq!(frames(&world, telephone, Kind::Audio), (50, 50));
    assert_eq!(frames(&world, telephone, Kind::Video), (0, 0));
    assert_eq!(frames(&world, ALICE, Kind::Video), (30, 0));
    let (said, played) = (Direction::Sent, Direction::Received);
    let of_caller = marked(&world, ALICE, said);
    assert_eq!(
        of_caller.intersection(&marked(&world, telephone, played)).count(),
        5,
        "the audio of a second"
    );
    assert!(marked(&world, telephone, said).is_subset(&marked(&world, ALICE, played)));
    let dropped = not_passed_on(&world);
    assert!(!dropped.is_empty());
    for drop in dropped {
        assert_eq!(
            (drop.reason.as_str(), drop.destination.as_str()),
            ("a telephone has no picture", telephone)
        );
    }
    let callee = world.calls.first().and_then(|call| call.callee.clone()).expect("a callee");
    assert_eq!(callee.to_string(), telephone);
}

#[test]
fn a_telephone_can_have_company() {
    let world = played(
        "  - call: { from: alice, to: \"tel:+15550100\", media: [audio] }\n  - invoke: { feature: \
         add-participant, by: alice, with: bob }\n  - talk: 1s\n  - hang-up: alice\n  - talk: 1s\n  - hang-up: bob",
    );
    assert_eq!(frames(&world, ALICE, Kind::Audio), (50, 100));
    // The telephone talks with whoever has been there longest: first with the caller, then with the one who is left.
    assert_eq!(frames(&world, BOB, Kind::Audio), (100, 150));
    assert_eq!(frames(&world, "+15550100@pstn", Kind::Audio), (100, 150));
}

#[test]
fn a_scheduled_call_is_an_ordinary_one() {
    let world = played(
        "  - call: { from: alice, to: bob, media: [audio], kind: scheduled }\n  - talk: 1s\n  - hang-up: alice",
    );
    for device in [ALICE, BOB] {
        assert_eq!(frames(&world, device, Kind::Audio), (50, 50));
        assert!(!claims(&world, device).iter().any(|c| matches!(c, Claimed::Lock(true))), "{device}");
    }
}

#[test]
fn a_group_call_has_one_schedule() {
    let steps = "  - call: { from: alice, to: [bob, carol], media: [audio, video] }\n  - talk: 1s\n  - hang-up: bob\n  - \
                 talk: 1s";
    let schedules = [played(steps), played(steps)].map(|world| world.schedule);
    assert!(schedules[0].is_some());
    assert_eq!(schedules[0], schedules[1]);
}
