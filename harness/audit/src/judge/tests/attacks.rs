//! Runs with Mallory in them, built by hand.

use model::attack::{Attack, Place};
use model::outcome::{Outcome, Reason};
use model::plan::{AttackPlan, Codes, Plan, Sides, Trigger};
use model::record::{Claimed, Deed};
use model::{Listener, Role};
use sha2::{Digest, Sha256};

use super::*;
use crate::bench::signals::Signals;
use crate::bench::story::BOB;

fn attacked(attack: Attack, place: Place, outcome: Outcome) -> Plan {
    let mut plan = both_on();
    plan.attacks = vec![AttackPlan {
        attack,
        place,
        legs: vec![Role::Callee],
        at: Trigger::default(),
        must_fire: 2,
        options: std::collections::BTreeMap::new(),
    }];
    plan.expect[0].outcome = Some(outcome);
    plan
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn deed(attack: Attack, victim: &str, sha256: String, replaced: Option<String>) -> Deed {
    Deed {
        attack,
        index: 0,
        at_ns: 0,
        leg: Role::Callee,
        victim: victim.to_owned(),
        sha256,
        replaced,
        what: "something".to_owned(),
    }
}

fn towards_bob(datagram: &Datagram) -> bool {
    datagram.to == BOB && datagram.bytes[0] == 0x80
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[20] ^= 1;
    bytes
}

/// Frames 3 and 4 on their way to bob.
fn third_and_fourth(datagrams: &[Datagram]) -> Vec<usize> {
    let all = datagrams.iter().enumerate().filter(|(_, datagram)| towards_bob(datagram));
    all.filter(|(_, datagram)| matches!(datagram.bytes[3], 103 | 104)).map(|(index, _)| index).collect()
}

fn flip_two(datagrams: &mut Vec<Datagram>) {
    for index in third_and_fourth(datagrams).into_iter().rev() {
        let both = datagrams[index].replaced(flipped(&datagrams[index].bytes));
        datagrams.splice(index..=index, both);
    }
}

/// Bob does not play what was flipped; the index counts what he played.
fn does_not_play_two(world: &mut WorldRecord) {
    let received = |e: &model::record::LedgerEntry| {
        e.device.user.user == "bob" && e.direction == model::Direction::Received
    };
    world.ledger.retain(|e| !(received(e) && matches!(e.index, 3 | 4)));
    let entries = world.ledger.iter_mut().filter(|e| received(e));
    entries.zip(0..).for_each(|(entry, index)| entry.index = index);
}

/// The bytes of frames 3 and 4 at bob's link in a run of `story`.
fn deeds_of_flipping(story: &Story) -> Vec<Deed> {
    let folder = tempfile::tempdir().expect("a folder");
    let honest = Story { tamper: |_| {}, retell: |_| {}, ..Story::sealed(story.plan.clone()) };
    let world = honest.tell(folder.path(), "honest");
    let evidence = crate::evidence::Evidence::gather(folder.path(), &world);
    let interface = evidence.capture.interface("bob@contoso.example").expect("bob's link");
    let packets = evidence.capture.packets.iter().filter(|packet| packet.interface == interface);
    let payloads =
        packets.map(|packet| evidence.capture.payload(packet)).filter(|bytes| bytes.first() == Some(&0x80));
    let to_bob = payloads.filter(|bytes| bytes[10] == 0 && matches!(bytes[3], 103 | 104));
    to_bob
        .map(|bytes| deed(Attack::FlipBits, "bob@contoso.example", hash(&flipped(bytes)), Some(hash(bytes))))
        .collect()
}

fn flipping() -> (Story, Run) {
    let plan = attacked(Attack::FlipBits, Place::Wire, Outcome::Sealed);
    let story = Story { tamper: flip_two, retell: does_not_play_two, ..Story::sealed(plan) };
    let mut run = Run::of(&story);
    world(&mut run.record, 0).deeds = deeds_of_flipping(&story);
    (story, run)
}

#[test]
fn flipped_packets_are_mallorys_and_nobody_else_is_to_blame() {
    let result = flipping().1.only();
    assert_eq!((result.verdict, findings(&result).len()), (Ending::Pass, 0), "{}", result.why);
    let model::results::AttackResult { fired, reached, .. } = result.attacks[0];
    assert_eq!((fired, reached), (2, 2));
    let parties = result.calls[0].heard[&Listener::Parties];
    assert_eq!(parties.frames, parties.of);
}

#[test]
fn the_ladder_names_messages_with_their_packets_and_counts_what_mallory_did() {
    let ladder = flipping().1.only().ladder;
    let told = |from: &str, message: &str| {
        ladder.iter().find(|step| step.from == from && step.message.starts_with(message))
    };
    let offer = told("alice@contoso.example", "offer").expect("a step");
    assert_eq!((offer.to.as_str(), offer.altered), ("call-service", false));
    assert!(offer.packet.is_some());
    let deed = told("mallory", "flip-bits").expect("a step");
    assert!(deed.altered && deed.message.ends_with("(2 times)") && deed.packet.is_none(), "{deed:?}");
    assert!(ladder.is_sorted_by_key(|step| step.at_ms));
}

#[test]
fn packets_that_change_without_a_deed_are_noticed() {
    let (_, mut run) = flipping();
    world(&mut run.record, 0).deeds.clear();
    let result = run.only();
    assert_eq!(result.verdict, Ending::Fail);
    let failing: Vec<&str> = bad(&result).into_iter().map(|(name, _)| name).collect();
    assert!(failing.contains(&"proof/complete") && failing.contains(&"proof/heard"), "{failing:?}");
}

#[test]
fn an_attack_that_was_made_too_rarely_shows_nothing() {
    let (_, mut run) = flipping();
    world(&mut run.record, 0).plan.attacks[0].must_fire = 3;
    let result = run.only();
    assert_eq!(
        (result.verdict, result.why.as_str()),
        (Ending::Inconclusive, "flip-bits was made 2 times and reached its victim 2 times; 3 are needed")
    );
}

#[test]
fn an_alteration_that_does_not_stand_at_the_victims_tap_has_not_arrived() {
    let (_, mut run) = flipping();
    for deed in &mut world(&mut run.record, 0).deeds {
        deed.victim = "alice@contoso.example".to_owned();
    }
    let result = run.only();
    assert_eq!((result.verdict, result.attacks[0].reached), (Ending::Inconclusive, 0));
}

fn send_two_again(datagrams: &mut Vec<Datagram>) {
    for index in third_and_fourth(datagrams) {
        let mut again = Datagram { leaves: false, ..datagrams[index].clone() };
        again.at_ns += 1;
        datagrams.push(again);
    }
    datagrams.sort_by_key(|datagram| datagram.at_ns);
}

#[test]
fn a_packet_that_was_sent_again_arrives_beside_the_first() {
    let plan = attacked(Attack::Replay, Place::Wire, Outcome::Sealed);
    let mut run = Run::of(&Story { tamper: send_two_again, ..Story::sealed(plan.clone()) });
    let deeds = deeds_of_flipping(&Story::sealed(plan)).into_iter().map(|deed| Deed {
        attack: Attack::Replay,
        sha256: deed.replaced.clone().expect("what was sent"),
        replaced: None,
        ..deed
    });
    world(&mut run.record, 0).deeds = deeds.collect();
    let result = run.only();
    assert_eq!((result.verdict, result.attacks[0].reached), (Ending::Pass, 2), "{}", result.why);
    // Without the second copy on the wire nothing was sent again.
    let mut honest = Run::of(&Story::sealed(attacked(Attack::Replay, Place::Wire, Outcome::Sealed)));
    world(&mut honest.record, 0).deeds.clone_from(&world(&mut run.record, 0).deeds);
    assert_eq!(honest.only().attacks[0].reached, 0);
}

/// Alice seals and shows the lock; bob takes the call for an ordinary one.
fn half(world: &mut WorldRecord) {
    world.claims.retain(|claim| {
        claim.device.user.user == "alice"
            || !matches!(claim.claim, Claimed::Lock(true) | Claimed::Code(_) | Claimed::Confirmed)
    });
}

#[test]
fn on_the_leg_without_a_lock_the_service_hears_and_on_the_other_it_does_not() {
    let mut plan = attacked(Attack::HalfSealed, Place::Service, Outcome::Exposed);
    plan.attacks[0].must_fire = 0;
    plan.expect[0].lock = Some(Sides::Caller);
    plan.expect[0].codes = Some(Codes::None);
    let twin = Story::sealed(both_on());
    let story = Story { seals: [true, false], retell: half, ..Story::sealed(plan) };
    let result = Run::with(&story, &twin).only();
    let unheard = result.checks.iter().find(|check| check.check == "proof/unheard").expect("the leg");
    // Bob's frames are open on alice's leg as well, where the lock is lit.
    assert_eq!(unheard.verdict, Verdict::Fail);
    let texts: Vec<&str> = unheard.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "trudy and harvest hear 30 audio frames that the callee sent in call, which is exposed, at forwarder"
        ]
    );
}

fn refuse(datagrams: &mut Vec<Datagram>) {
    let alert = vec![21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 42];
    let last = datagrams.last().expect("a handshake").clone();
    datagrams.push(Datagram { at_ns: last.at_ns + 1, from: ALICE, to: NODE, bytes: alert, ..last });
}

fn times_out(world: &mut WorldRecord) {
    world
        .claims
        .retain(|claim| !matches!(claim.claim, Claimed::Connected | Claimed::Lock(_) | Claimed::Code(_)));
    for claim in &mut world.claims {
        claim.claim = Claimed::Ended { reason: Some(Reason::SetUpTimeout), own: true };
    }
}

fn describe_another(signals: &mut Signals) {
    for signal in signals.signals.iter_mut().filter(|signal| signal.side == ALICE && !signal.from_client) {
        if signal.json["type"] == "sdp-answer" {
            let line = format!("a=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
            signal.json["sdp"] = line.into();
        }
    }
}

#[rstest]
#[case::refused(refuse as fn(&mut Vec<Datagram>), describe_another as fn(&mut Signals), Reason::FingerprintMismatch)]
#[case::no_alert(|_: &mut Vec<Datagram>| {}, describe_another as fn(&mut Signals), Reason::SetUpTimeout)]
#[case::as_described(refuse as fn(&mut Vec<Datagram>), |_: &mut Signals| {}, Reason::SetUpTimeout)]
fn a_refused_certificate_is_told_from_a_call_that_was_not_set_up(
    #[case] tamper: fn(&mut Vec<Datagram>),
    #[case] signals: fn(&mut Signals),
    #[case] reason: Reason,
) {
    let plan = attacked(Attack::SubstituteFingerprint, Place::Service, Outcome::Ended);
    let story = Story { tamper, signals, retell: times_out, frames: 0, ..Story::sealed(plan) };
    let result = Run::with(&story, &Story::sealed(both_on())).only();
    assert_eq!((result.calls[0].outcome, &result.calls[0].because), (Outcome::Ended, &vec![reason]));
}
