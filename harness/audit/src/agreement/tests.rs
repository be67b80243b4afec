//! The agreement against its worked examples, value by value, and against changes of every input.

use model::{Kind, Role};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::vectors::{self, AgreementExample, Wycheproof, X25519Case};

fn examples() -> Vec<AgreementExample> {
    vectors::read::<vectors::Agreement>(vectors::AGREEMENT).examples
}

fn first() -> Signalled {
    examples()[0].signalled()
}

#[test]
fn every_value_of_the_worked_examples_is_recomputed() {
    let examples = examples();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let inputs = &example.inputs;
        let (caller, callee) = (inputs.caller_secret.array(), inputs.callee_secret.array());
        assert_eq!(x25519_public(&caller), *example.caller_public);
        assert_eq!(x25519_public(&callee), *example.callee_public);
        let z = x25519(&caller, &example.callee_public.array());
        assert_eq!(z, x25519(&callee, &example.caller_public.array()));
        assert_eq!(z, *example.z);

        let signalled = example.signalled();
        assert_eq!(commit(&signalled.epk_caller, &signalled.nonce_caller), *example.commit);
        assert!(signalled.keeps_commitment());
        assert_eq!(signalled.agreed().expect("short"), *example.agreed);
        assert_eq!(signalled.transcript().expect("short"), *example.transcript);
        assert_eq!(signalled.security_code().expect("short").to_string(), example.security_code);

        let schedule = signalled.key_schedule(&z).expect("short");
        assert_eq!(*schedule.prk(), *example.prk);
        for (id, base_key) in (0..).zip(&example.sframe_base_keys_by_key_id) {
            let (sender, kind) = key_id_owner(id).expect("six ids");
            assert_eq!(schedule.base_key(sender, kind), **base_key, "key id {id}");
            assert_eq!(key_id(sender, kind), id);
        }
        assert_eq!(schedule.confirmation(Role::Caller), *example.confirmations.caller);
        assert_eq!(schedule.confirmation(Role::Callee), *example.confirmations.callee);
        assert_eq!(
            example.dtls_call().security_code().expect("short").to_string(),
            example.dtls_security_code
        );
    }
}

#[rstest]
#[case::call_id(|s: &mut Signalled| s.call_id[0] ^= 1)]
#[case::caller(|s: &mut Signalled| s.caller.push('x'))]
#[case::caller_tenant(|s: &mut Signalled| s.caller_tenant.push('x'))]
#[case::callee(|s: &mut Signalled| s.callee.push('x'))]
#[case::callee_tenant(|s: &mut Signalled| s.callee_tenant.push('x'))]
#[case::a_letter_moved_between_items(|s: &mut Signalled| { s.caller.push('c'); s.caller_tenant.remove(0); })]
#[case::caller_intent(|s: &mut Signalled| s.caller_intent = 0)]
#[case::callee_intent(|s: &mut Signalled| s.callee_intent = 0)]
#[case::offered_suites(|s: &mut Signalled| s.offered_suites.push(2))]
#[case::chosen_suite(|s: &mut Signalled| s.chosen_suite = 2)]
#[case::commit(|s: &mut Signalled| s.commit[31] ^= 1)]
#[case::epk_callee(|s: &mut Signalled| s.epk_callee[0] ^= 1)]
#[case::nonce_callee(|s: &mut Signalled| s.nonce_callee[0] ^= 1)]
#[case::ek_callee(|s: &mut Signalled| s.ek_callee.push(0))]
#[case::epk_caller(|s: &mut Signalled| s.epk_caller[0] ^= 1)]
#[case::nonce_caller(|s: &mut Signalled| s.nonce_caller[0] ^= 1)]
fn a_change_of_any_input_changes_code_and_confirmations(#[case] change: fn(&mut Signalled)) {
    let (before, mut after) = (first(), first());
    change(&mut after);
    assert_ne!(before.security_code(), after.security_code());
    let confirmation = |s: &Signalled| s.key_schedule(&[7; 32]).expect("short").confirmation(Role::Caller);
    assert_ne!(confirmation(&before), confirmation(&after));
}

#[test]
fn ct_is_confirmed_and_not_in_the_code() {
    let (before, mut after) = (first(), first());
    after.ct.push(1);
    assert_eq!(before.security_code(), after.security_code());
    assert_ne!(before.transcript(), after.transcript());
}

#[test]
fn upper_case_is_hashed_in_lower_case() {
    let mut shouted = first();
    shouted.caller = shouted.caller.to_uppercase();
    assert_eq!(shouted.agreed(), first().agreed());
}

#[test]
fn another_key_or_nonce_breaks_the_commitment() {
    for change in [|s: &mut Signalled| s.epk_caller[5] ^= 1, |s: &mut Signalled| s.nonce_caller[5] ^= 1] {
        let mut signalled = first();
        change(&mut signalled);
        assert!(!signalled.keeps_commitment());
    }
}

#[test]
fn an_item_of_64_kib_is_refused() {
    let mut signalled = first();
    signalled.caller = "x".repeat(65_536);
    assert_eq!(signalled.agreed(), Err(TooLong(65_536)));
    signalled.caller = "x".repeat(65_535);
    assert!(signalled.agreed().is_ok());
}

#[test]
fn keys_differ_between_senders_and_kinds_and_are_not_the_confirmation_keys() {
    let schedule = first().key_schedule(&[7; 32]).expect("short");
    let mut keys: Vec<_> =
        (0..6).filter_map(key_id_owner).map(|(role, kind)| schedule.base_key(role, kind)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 6);
    assert_eq!(key_id_owner(6), None);
    assert_eq!(key_id(Role::Callee, Kind::Screen), 5);
}

#[test]
fn a_schedule_does_not_print_itself() {
    assert_eq!(format!("{:?}", KeySchedule::from_prk([1; 32], [2; 32])), "KeySchedule(…)");
}

#[test]
fn x25519_gives_what_wycheproof_says() {
    let groups = vectors::read::<Wycheproof<X25519Case>>(vectors::X25519).test_groups;
    let cases: Vec<_> = groups.into_iter().flat_map(|group| group.tests).collect();
    assert_eq!(cases.len(), 518);
    let mut zero = 0;
    for case in cases {
        let z = x25519(&case.private.array(), &case.public.array());
        assert_eq!(z, *case.shared, "case {}", case.tc_id);
        assert_eq!(is_low_order(&case.public.array()), !is_contributory(&z), "case {}", case.tc_id);
        zero += usize::from(!is_contributory(&z));
    }
    assert!(zero >= 31, "only {zero} low-order keys");
}

proptest! {
    #[test]
    fn both_sides_agree(caller: [u8; 32], callee: [u8; 32]) {
        let z = x25519(&caller, &x25519_public(&callee));
        prop_assert_eq!(z, x25519(&callee, &x25519_public(&caller)));
        prop_assert!(is_contributory(&z));
    }
}
