//! Runs the primitives, and what is built on them, against published vectors before any verdict: a
//! judge whose cryptography is wrong would otherwise find every call well sealed.
//!
//! All vectors are compiled in. Of the 518 of X25519, which is slow, every eighth is run and each
//! whose result is all zero; the tests run the rest.

mod primitives;
mod protocols;

use crate::vectors;

/// How many vectors of each kind have passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfTest {
    /// X25519, those with a low-order public key included.
    pub x25519: usize,
    /// Those of them that must give all zero.
    pub low_order: usize,
    /// AES-GCM with keys of 16 and 32 bytes and nonces of 12.
    pub aes_gcm: usize,
    /// HKDF with SHA-256.
    pub hkdf_sha256: usize,
    /// HMAC with SHA-1.
    pub hmac_sha1: usize,
    /// HMAC with SHA-256.
    pub hmac_sha256: usize,
    /// Packets of SRTP and SRTCP.
    pub srtp: usize,
    /// Headers and frames of SFrame.
    pub sframe: usize,
    /// Whole key agreements.
    pub agreement: usize,
}

impl SelfTest {
    /// All of them together.
    pub const fn total(&self) -> usize {
        self.x25519
            + self.aes_gcm
            + self.hkdf_sha256
            + self.hmac_sha1
            + self.hmac_sha256
            + self.srtp
            + self.sframe
            + self.agreement
    }
}

/// A vector that gave something else than it must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the self-test of {primitive} failed at vector {vector}; \
     no verdict of this build can be trusted, so build it anew"
)]
pub struct SelfTestFailed {
    /// What was tested.
    pub primitive: &'static str,
    /// The vector, as its file names it.
    pub vector: String,
}

/// Runs the self-test.
///
/// # Errors
/// At the first vector that fails. No verdict may be given then.
pub fn self_test() -> Result<SelfTest, SelfTestFailed> {
    let x25519 = primitives::some_of(vectors::read(vectors::X25519));
    Ok(SelfTest {
        x25519: primitives::x25519(&x25519)?,
        low_order: primitives::low_order(&x25519)?,
        aes_gcm: primitives::aes_gcm(&vectors::read(vectors::AES_GCM))?,
        hkdf_sha256: primitives::hkdf_sha256(&vectors::read(vectors::HKDF_SHA256))?,
        hmac_sha1: primitives::hmac_sha1(&vectors::read(vectors::HMAC_SHA1))?,
        hmac_sha256: primitives::hmac_sha256(&vectors::read(vectors::HMAC_SHA256))?,
        srtp: protocols::srtp(&vectors::read(vectors::SRTP))?,
        sframe: protocols::sframe(&vectors::read(vectors::SFRAME))?,
        agreement: protocols::agreement(&vectors::read(vectors::AGREEMENT))?,
    })
}

/// Passes when `holds`, and otherwise names the vector.
fn check(holds: bool, primitive: &'static str, vector: impl ToString) -> Result<(), SelfTestFailed> {
    if holds { Ok(()) } else { Err(SelfTestFailed { primitive, vector: vector.to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_vector_is_run() {
        let passed = self_test().expect("the self-test passes");
        assert_eq!(
            passed,
            SelfTest {
                x25519: 91,
                low_order: 31,
                aes_gcm: 133,
                hkdf_sha256: 86,
                hmac_sha1: 170,
                hmac_sha256: 174,
                srtp: 10,
                sframe: 294,
                agreement: 4,
            }
        );
    }

    #[test]
    fn a_failure_says_what_to_do() {
        let failed = check(false, "X25519", 7).expect_err("it does not hold");
        assert_eq!(
            failed.to_string(),
            "the self-test of X25519 failed at vector 7; \
             no verdict of this build can be trusted, so build it anew"
        );
    }
}
