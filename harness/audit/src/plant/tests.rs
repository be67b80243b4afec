//! A control that is spoilt is missed, and told.

use model::attack::Attack;
use model::record::{Deed, WorldRecord};
use model::{Role, Verdict};
use rstest::rstest;
use sha2::{Digest, Sha256};

use super::*;
use crate::bench::plans::both_on;
use crate::bench::story::{ALICE, Datagram, NODE, Story};
use crate::case::Case;
use crate::checks::CHECKS;
use crate::findings::Findings;
use crate::oracle;

fn after(spoil: fn(&mut Vec<u8>)) -> (Controls, Verdict) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Story::sealed(both_on()).tell(folder.path(), "planted");
    let mut evidence = Evidence::gather(folder.path(), &world);
    let (free, locks) = (Free::of(&evidence), Locks::of(&evidence));
    let secrets = Secrets::of(&evidence);
    let controls = controls(&evidence, &free, &locks, &secrets, &LISTENERS, spoil);
    evidence.swept.controls = controls;
    let expected = oracle::expect(&world.plan);
    let case = Case::new(&expected, &evidence, None);
    let unheard = CHECKS.iter().find(|check| check.name() == "proof/unheard").expect("the leg");
    let mut findings = Findings::default();
    (unheard.judge)(&case, &mut findings);
    (controls, findings.conclude().0)
}

#[test]
fn controls_that_are_left_alone_are_all_found() {
    let (controls, verdict) = after(|_| {});
    assert_eq!(controls.found, controls.planted);
    // Each of three listeners in seven ways and once for the search, and a column of bytes.
    assert_eq!((controls.planted, verdict), (25, Verdict::Pass));
}

fn among_held_after(story: &Story, spoil: fn(&mut Vec<u8>)) -> Controls {
    let folder = tempfile::tempdir().expect("a folder");
    let world = story.tell(folder.path(), "held");
    let evidence = Evidence::gather(folder.path(), &world);
    among_held(&evidence, &Locks::of(&evidence), &LISTENERS, spoil)
}

#[test]
fn a_real_key_among_those_that_a_listener_holds_opens() {
    let sealed = among_held_after(&Story::sealed(both_on()), |_| {});
    // Two base keys for each of three listeners, and for Eve both directions of two hops.
    assert_eq!((sealed.planted, sealed.found), (10, 10));
    let ordinary = among_held_after(&Story::ordinary(both_on()), |_| {});
    assert_eq!((ordinary.planted, ordinary.found), (4, 4), "the service holds every key");
}

/// What Mallory adds to alice's hop: shorter than any packet of it, and under no key.
const INJECTED: [u8; 20] = [0x80, 111, 0, 200, 0, 0, 0, 0, 0, 0, 0, 1, 7, 7, 7, 7, 7, 7, 7, 7];

#[test]
fn what_mallory_adds_is_no_lock_that_a_real_key_has_to_open() {
    let tamper: fn(&mut Vec<Datagram>) = |datagrams| {
        let bytes = INJECTED.to_vec();
        let at_ns = 1_100_000_000;
        datagrams.push(Datagram { at_ns, from: NODE, to: ALICE, bytes, leaves: false, arrives: true });
    };
    let retell: fn(&mut WorldRecord) = |world| {
        world.deeds.push(Deed {
            attack: Attack::InjectRtp,
            index: 0,
            at_ns: 1_100_000_000,
            leg: Role::Caller,
            victim: "alice@contoso.example".to_owned(),
            sha256: hex::encode(Sha256::digest(INJECTED)),
            replaced: None,
            what: "a packet of her own".to_owned(),
        });
    };
    let controls = among_held_after(&Story { tamper, retell, ..Story::sealed(both_on()) }, |_| {});
    assert_eq!((controls.planted, controls.found), (10, 10));
}

#[rstest]
#[case::turned_round(|key: &mut Vec<u8>| key.reverse())]
#[case::a_bit_changed(|key: &mut Vec<u8>| key[3] ^= 1)]
#[case::cut(|key: &mut Vec<u8>| key.truncate(15))]
fn a_spoilt_key_among_those_that_a_listener_holds_opens_nothing(#[case] spoil: fn(&mut Vec<u8>)) {
    let controls = among_held_after(&Story::sealed(both_on()), spoil);
    assert_eq!((controls.planted, controls.found), (10, 0));
}

#[rstest]
#[case::turned_round(|bytes: &mut Vec<u8>| bytes.reverse())]
#[case::every_byte_changed(|bytes: &mut Vec<u8>| bytes.iter_mut().for_each(|byte| *byte ^= 0x15))]
#[case::nothing_left(Vec::clear)]
fn a_spoilt_control_is_missed_and_the_leg_inconclusive(#[case] spoil: fn(&mut Vec<u8>)) {
    let (controls, verdict) = after(spoil);
    assert_eq!(controls.found, 0);
    assert_eq!(verdict, Verdict::Inconclusive);
}
