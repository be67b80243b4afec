//! SFrame against the vectors of its RFC, and against frames that must not open.

use proptest::prelude::*;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::*;
use crate::vectors::{self, SframeCase};

fn cases() -> Vec<(Suite, SframeCase)> {
    let cases = vectors::read::<vectors::Sframe>(vectors::SFRAME).sframe;
    cases.into_iter().map(|case| (Suite::numbered(case.cipher_suite).expect("a suite"), case)).collect()
}

#[test]
fn every_suite_opens_the_frame_of_the_rfc() {
    let cases = cases();
    assert_eq!(cases.len(), 5);
    for (suite, case) in cases {
        let opener = FrameOpener::new(suite, case.kid, &case.base_key);
        assert_eq!(opener.open(&case.ct, &case.metadata).as_deref(), Some(&*case.pt), "{suite:?}");
        let header = Header::parse(&case.ct).expect("a header");
        assert_eq!((header.key_id, header.counter), (case.kid, case.ctr));
    }
}

#[test]
fn neither_a_changed_bit_nor_other_metadata_opens() {
    for (suite, case) in cases() {
        let opener = FrameOpener::new(suite, case.kid, &case.base_key);
        for bit in 0..8 * case.ct.len() {
            let mut frame = case.ct.to_vec();
            frame[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(opener.open(&frame, &case.metadata), None, "{suite:?} bit {bit}");
        }
        assert_eq!(opener.open(&case.ct, b""), None);
        assert_eq!(opener.open(&case.ct, &case.metadata[1..]), None);
    }
}

#[test]
fn neither_another_key_nor_another_suite_nor_another_key_id_opens() {
    for (suite, case) in cases() {
        let mut wrong = case.base_key.to_vec();
        wrong[0] ^= 1;
        assert_eq!(FrameOpener::new(suite, case.kid, &wrong).open(&case.ct, &case.metadata), None);
        assert_eq!(
            FrameOpener::new(suite, case.kid + 1, &case.base_key).open(&case.ct, &case.metadata),
            None
        );
        for other in Suite::ALL.into_iter().filter(|other| *other != suite) {
            let opener = FrameOpener::new(other, case.kid, &case.base_key);
            assert_eq!(opener.open(&case.ct, &case.metadata), None, "{suite:?} as {other:?}");
        }
    }
}

/// The frame of the RFC for suite 4, sealed again without metadata, and its base key.
fn frame_without_metadata() -> (Vec<u8>, Vec<u8>) {
    let (suite, case) = cases().swap_remove(3);
    assert_eq!(suite, Suite::Aes128Gcm);
    let header = &case.ct[..Header::parse(&case.ct).expect("a header").length];
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &case.sframe_key).expect("16 bytes"));
    let mut sealed = case.pt.to_vec();
    let nonce = Nonce::assume_unique_for_key(case.nonce.array());
    key.seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).expect("seals");
    ([header, &sealed].concat(), case.base_key.to_vec())
}

#[test]
fn a_guess_fits_exactly_when_its_base_key_opens_the_frame() {
    let (mut frame, base_key) = frame_without_metadata();
    let guesses = Guesses::default();
    assert!(guesses.fits(&base_key, &frame, &mut Vec::new()));
    for at in 0..base_key.len() {
        let mut wrong = base_key.clone();
        wrong[at] ^= 0x80;
        assert!(!guesses.fits(&wrong, &frame, &mut Vec::new()), "byte {at}");
    }
    assert!(!guesses.fits(&base_key[1..], &frame, &mut Vec::new()));
    frame[0] ^= 1;
    assert!(!guesses.fits(&base_key, &frame, &mut Vec::new()));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(frame in proptest::collection::vec(any::<u8>(), 0..64)) {
        for suite in Suite::ALL {
            let opener = FrameOpener::new(suite, 0, b"a base key");
            prop_assert_eq!(opener.open(&frame, b""), None);
        }
        prop_assert!(!Guesses::default().fits(b"a base key", &frame, &mut Vec::new()));
    }
}
