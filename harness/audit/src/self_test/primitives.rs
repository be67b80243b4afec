//! The primitives against Wycheproof.

use hkdf::Hkdf;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;
use sha2::Sha256;

use super::{SelfTestFailed, check};
use crate::agreement;
use crate::vectors::{AeadCase, HkdfCase, MacCase, Wycheproof, X25519Case};

/// Every eighth case of X25519, and each whose result is all zero.
pub(super) fn some_of(file: Wycheproof<X25519Case>) -> Vec<X25519Case> {
    let cases = file.test_groups.into_iter().flat_map(|group| group.tests);
    cases.filter(|case| case.tc_id % 8 == 0 || case.shared.iter().all(|byte| *byte == 0)).collect()
}

/// Computes each shared secret; that the public key contributes must be seen from it.
pub(super) fn x25519(cases: &[X25519Case]) -> Result<usize, SelfTestFailed> {
    for case in cases {
        let z = agreement::x25519(&case.private.array(), &case.public.array());
        check(z == *case.shared, "X25519", case.tc_id)?;
    }
    Ok(cases.len())
}

/// Counts the cases whose result must be all zero, and checks that exactly these are refused.
pub(super) fn low_order(cases: &[X25519Case]) -> Result<usize, SelfTestFailed> {
    let mut zero = 0;
    for case in cases {
        let expected = case.flags.iter().any(|flag| flag == "ZeroSharedSecret");
        let refused = agreement::is_low_order(&case.public.array());
        check(refused == expected, "the refusal of low-order keys", case.tc_id)?;
        zero += usize::from(expected);
    }
    Ok(zero)
}

/// Opens each ciphertext: to its plaintext when it is valid, and not at all otherwise. Nonces of
/// other lengths are no part of any protocol here.
pub(super) fn aes_gcm(file: &Wycheproof<AeadCase>) -> Result<usize, SelfTestFailed> {
    let mut run = 0;
    for case in file.test_groups.iter().flat_map(|group| &group.tests) {
        let (Ok(nonce), algorithm) = (
            <[u8; 12]>::try_from(&*case.iv),
            match case.key.len() {
                16 => &AES_128_GCM,
                32 => &AES_256_GCM,
                _ => continue,
            },
        ) else {
            continue;
        };
        let key = UnboundKey::new(algorithm, &case.key).map(LessSafeKey::new);
        let mut sealed = [&*case.ct, &*case.tag].concat();
        let plain = key.and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            key.open_in_place(nonce, Aad::from(&*case.aad), &mut sealed).map(|plain| plain.to_vec())
        });
        let expected = (case.result == "valid").then_some(&*case.msg);
        check(plain.ok().as_deref() == expected, "AES-GCM", case.tc_id)?;
        run += 1;
    }
    Ok(run)
}

/// Derives each output; a length that HKDF cannot give must be refused.
pub(super) fn hkdf_sha256(file: &Wycheproof<HkdfCase>) -> Result<usize, SelfTestFailed> {
    let mut run = 0;
    for case in file.test_groups.iter().flat_map(|group| &group.tests) {
        let mut out = vec![0; case.size];
        let hkdf = Hkdf::<Sha256>::new(Some(&case.salt), &case.ikm);
        let given = hkdf.expand(&case.info, &mut out).is_ok();
        let expected = case.result == "valid";
        check(given == expected && (!given || out == *case.okm), "HKDF-SHA-256", case.tc_id)?;
        run += 1;
    }
    Ok(run)
}

pub(super) fn hmac_sha1(file: &Wycheproof<MacCase>) -> Result<usize, SelfTestFailed> {
    hmac::<Sha1>(file, "HMAC-SHA-1")
}

pub(super) fn hmac_sha256(file: &Wycheproof<MacCase>) -> Result<usize, SelfTestFailed> {
    hmac::<Sha256>(file, "HMAC-SHA-256")
}

/// Checks each tag, cut to its length: the valid must fit and no other.
fn hmac<H: EagerHash>(file: &Wycheproof<MacCase>, name: &'static str) -> Result<usize, SelfTestFailed> {
    let mut run = 0;
    for group in &file.test_groups {
        for case in &group.tests {
            let fits = Hmac::<H>::new_from_slice(&case.key).is_ok_and(|mut mac| {
                mac.update(&case.msg);
                mac.verify_truncated_left(&case.tag).is_ok()
            });
            let whole = case.tag.len() * 8 == group.tag_size;
            check((fits && whole) == (case.result == "valid"), name, case.tc_id)?;
            run += 1;
        }
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{self, Bytes};

    fn spoil(bytes: &mut Bytes) {
        bytes.0[0] ^= 1;
    }

    #[test]
    fn all_of_x25519_passes() {
        let cases: Vec<X25519Case> =
            vectors::read::<Wycheproof<X25519Case>>(vectors::X25519).test_groups.remove(0).tests;
        assert_eq!(x25519(&cases), Ok(518));
    }

    #[test]
    fn a_wrong_shared_secret_is_noticed() {
        let mut cases = some_of(vectors::read(vectors::X25519));
        let spoiled = cases.len() - 1;
        spoil(&mut cases[spoiled].shared);
        let vector = cases[spoiled].tc_id.to_string();
        assert_eq!(x25519(&cases), Err(SelfTestFailed { primitive: "X25519", vector }));
    }

    #[test]
    fn a_low_order_key_that_is_accepted_is_noticed() {
        let mut cases = some_of(vectors::read(vectors::X25519));
        let zero =
            cases.iter().position(|case| case.shared.iter().all(|byte| *byte == 0)).expect("one is zero");
        cases[zero].public = cases[0].public.clone();
        assert!(low_order(&cases).is_err());
    }

    #[test]
    fn a_wrong_plaintext_and_a_forgery_that_opens_are_noticed() {
        for (before, after) in [("valid", "invalid"), ("invalid", "valid")] {
            let mut file: Wycheproof<AeadCase> = vectors::read(vectors::AES_GCM);
            let case =
                file.test_groups[0].tests.iter_mut().find(|case| case.result == before).expect("one is");
            case.result = after.to_owned();
            assert!(aes_gcm(&file).is_err(), "{before}");
        }
        let mut file: Wycheproof<AeadCase> = vectors::read(vectors::AES_GCM);
        spoil(&mut file.test_groups[0].tests[0].msg);
        assert!(aes_gcm(&file).is_err());
    }

    #[test]
    fn a_wrong_output_of_hkdf_is_noticed() {
        let mut file: Wycheproof<HkdfCase> = vectors::read(vectors::HKDF_SHA256);
        spoil(&mut file.test_groups[0].tests[0].okm);
        assert!(hkdf_sha256(&file).is_err());
    }

    #[test]
    fn a_wrong_tag_is_noticed() {
        for (text, run) in
            [(vectors::HMAC_SHA1, hmac_sha1 as fn(&_) -> _), (vectors::HMAC_SHA256, hmac_sha256)]
        {
            let mut file: Wycheproof<MacCase> = vectors::read(text);
            spoil(&mut file.test_groups[0].tests[0].tag);
            assert!(run(&file).is_err());
        }
    }
}
