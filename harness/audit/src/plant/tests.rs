//! A control that is spoilt is missed, and told.

use model::Verdict;
use rstest::rstest;

use super::*;
use crate::bench::plans::both_on;
use crate::bench::story::Story;
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
    let controls = controls(&evidence, &free, &locks, &secrets, spoil);
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

#[rstest]
#[case::turned_round(|bytes: &mut Vec<u8>| bytes.reverse())]
#[case::every_byte_changed(|bytes: &mut Vec<u8>| bytes.iter_mut().for_each(|byte| *byte ^= 0x15))]
#[case::nothing_left(Vec::clear)]
fn a_spoilt_control_is_missed_and_the_leg_inconclusive(#[case] spoil: fn(&mut Vec<u8>)) {
    let (controls, verdict) = after(spoil);
    assert_eq!(controls.found, 0);
    assert_eq!(verdict, Verdict::Inconclusive);
}
