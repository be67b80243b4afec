//! The weakness of the profile `dtls` that no device can check, shown on a shortened code (design, section 1.6 (f)).
//!
//! Mallory lets each party call the other and answers both calls herself. Both parties are offerers, so that she has
//! both call ids and both fingerprints before she shows a certificate of her own in either call. Among certificates for
//! the one call and certificates for the other she looks for two that give equal codes, which takes about the square
//! root of the number of codes. With one offerer she must show her certificate in the other call before she sees what
//! it has to fit.
//!
//! Invariant: what is told was found by hashing; nothing here is estimated but the step from few digits to 20.

use std::collections::HashMap;
use std::sync::OnceLock;

use model::results::Weakness;
use sha2::{Digest, Sha256};

use super::code::DIGITS;
use super::{Bytes32, DtlsCall};

/// Digits of the shortened code: about 23 bits.
const SHORTENED: u32 = 7;
/// Pairs of calls in which two certificates are looked for.
const SEARCHES: u8 = 8;
/// Certificates per call after which a search is given up.
const MOST: u32 = 1_000_000;

/// Two certificates that give equal codes.
struct Pair {
    /// SHA-256 of what Mallory shows in the first call and in the second.
    fingerprints: [Bytes32; 2],
    /// How many certificates were tried for each of the two.
    tried: u32,
}

/// The weakness as it was shown; none where a search was given up. Computed once in a process.
pub fn demonstration() -> Option<Weakness> {
    static SHOWN: OnceLock<Option<Weakness>> = OnceLock::new();
    *SHOWN.get_or_init(|| {
        let shown = |n| {
            let (calls, pair) = (calls(n), search(&calls(n), SHORTENED)?);
            meets(&calls, &pair.fingerprints, SHORTENED).then_some(u64::from(pair.tried))
        };
        let tried: u64 = (0..SEARCHES).map(shown).sum::<Option<u64>>()?;
        let certificates_per_leg = tried / u64::from(SEARCHES);
        Some(Weakness {
            digits: SHORTENED,
            searches: u32::from(SEARCHES),
            certificates_per_leg,
            power_of_two: for_whole_codes(certificates_per_leg, SHORTENED),
        })
    })
}

/// Alice calls Bob, and Bob calls Alice; the `n`th time. What Mallory shows is not there yet.
fn calls(n: u8) -> [DtlsCall; 2] {
    ["alice", "bob"].map(|caller| {
        let callee = if caller == "alice" { "bob" } else { "alice" };
        let drawn = Sha256::digest([caller.as_bytes(), &[n]].concat());
        let (call_id, _) = drawn.split_first_chunk::<16>().expect("a hash has 32 bytes");
        DtlsCall {
            call_id: *call_id,
            caller: format!("{caller}@contoso.example"),
            caller_tenant: "contoso.example".to_owned(),
            callee: format!("{callee}@contoso.example"),
            callee_tenant: "contoso.example".to_owned(),
            caller_fingerprint: Sha256::digest(drawn).into(),
            callee_fingerprint: [0; 32],
        }
    })
}

/// The birthday search: each certificate is tried in both calls, and compared with all that were tried in the other.
fn search(calls: &[DtlsCall; 2], digits: u32) -> Option<Pair> {
    let mut tried_in: [HashMap<u128, Bytes32>; 2] = Default::default();
    let mut calls = calls.clone();
    for tried in 1..=MOST {
        // A certificate of hers: what varies is its serial number.
        let own: Bytes32 =
            Sha256::digest([&b"certificate of mallory"[..], &tried.to_be_bytes()].concat()).into();
        let codes = calls.each_mut().map(|call| {
            call.callee_fingerprint = own;
            call.security_code().expect("short names").shortened(digits)
        });
        for (tried, code) in tried_in.iter_mut().zip(codes) {
            tried.insert(code, own);
        }
        let met = [
            tried_in[0].get(&codes[1]).map(|first| [*first, own]),
            tried_in[1].get(&codes[0]).map(|second| [own, *second]),
        ];
        if let Some(fingerprints) = met.into_iter().flatten().next() {
            return Some(Pair { fingerprints, tried });
        }
    }
    None
}

/// Whether both screens end in the same digits when Mallory shows these two certificates.
fn meets(calls: &[DtlsCall; 2], fingerprints: &[Bytes32; 2], digits: u32) -> bool {
    let [first, second] = [0, 1].map(|leg| {
        let call = DtlsCall { callee_fingerprint: fingerprints[leg], ..calls[leg].clone() };
        call.security_code().expect("short names").shortened(digits)
    });
    first == second
}

/// As a power of two, what `tried` certificates per call for `digits` digits come to for a whole code: each digit more
/// costs the square root of ten.
fn for_whole_codes(tried: u64, digits: u32) -> u32 {
    // Exact enough: both numbers are far below 2^52.
    let power = (tried as f64).log2() + f64::from(DIGITS - digits) * 10_f64.log2() / 2.0;
    power.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_certificates_that_were_found_give_equal_shortened_codes_and_different_whole_ones() {
        for n in 0..SEARCHES {
            let calls = calls(n);
            let pair = search(&calls, SHORTENED).expect("found");
            let [first, second] = [0, 1].map(|leg| {
                let shown = pair.fingerprints[leg];
                let call = DtlsCall { callee_fingerprint: shown, ..calls[leg].clone() };
                call.security_code().expect("short names").to_string().replace(' ', "")
            });
            assert_eq!(first[13..], second[13..], "the last seven digits");
            assert_ne!(first, second, "20 digits are out of reach here");
            assert!(
                meets(&calls, &pair.fingerprints, SHORTENED) && !meets(&calls, &pair.fingerprints, DIGITS)
            );
            let [first, second] = pair.fingerprints;
            assert!(!meets(&calls, &[second, first], SHORTENED), "each fits the call that it was tried in");
            assert_ne!(calls[0].call_id, calls[1].call_id);
        }
    }

    #[test]
    fn what_is_told_is_what_the_searches_took() {
        let shown = demonstration().expect("shown");
        let tried = (0..SEARCHES).map(|n| u64::from(search(&calls(n), SHORTENED).expect("found").tried));
        assert_eq!(shown.certificates_per_leg, tried.sum::<u64>() / 8);
        // What the birthday bound makes one expect is half the square root of pi times 10^7: 2,802.
        assert!((1_800..4_200).contains(&shown.certificates_per_leg), "{shown:?}");
        assert_eq!((shown.digits, shown.searches, shown.power_of_two), (7, 8, 33));
    }

    #[test]
    fn four_digits_more_cost_a_hundred_times_as_much() {
        let mean = |digits| {
            let tried = (0..64).map(|n| search(&calls(n), digits).expect("found").tried);
            f64::from(tried.sum::<u32>()) / 64.0
        };
        let ratio = mean(6) / mean(2);
        assert!((70.0..140.0).contains(&ratio), "{ratio}");
        assert_eq!(for_whole_codes(8_862, 8), 33);
        assert_eq!(for_whole_codes(1 << 20, 20), 20);
    }
}
