//! The security code: 20 digits that two people read to each other.

use std::fmt;

use super::{Bytes32, TooLong, hash};

/// Digits of a code.
pub(super) const DIGITS: u32 = 20;

/// Twenty decimal digits; prints as four groups of five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecurityCode(u128);

impl SecurityCode {
    /// The first 16 bytes of a hash, big endian, modulo 10^20.
    pub(super) fn from_hash(hash: &Bytes32) -> Self {
        let (first, _) = hash.split_first_chunk::<16>().expect("a hash has 32 bytes");
        Self(u128::from_be_bytes(*first) % 10_u128.pow(DIGITS))
    }

    /// The last `digits` digits: a code that is short enough to be broken.
    pub(super) const fn shortened(self, digits: u32) -> u128 {
        self.0 % 10_u128.pow(digits)
    }
}

impl fmt::Display for SecurityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = |power: u32| self.0 / 10_u128.pow(power) % 100_000;
        write!(f, "{:05} {:05} {:05} {:05}", group(15), group(10), group(5), group(0))
    }
}

/// What the code of the profile `dtls` is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtlsCall {
    /// Made by the caller's device.
    pub call_id: [u8; 16],
    /// `user@tenant`, in any case: it is hashed in lower case.
    pub caller: String,
    /// The caller's tenant, likewise.
    pub caller_tenant: String,
    /// `user@tenant`, likewise.
    pub callee: String,
    /// The callee's tenant, likewise.
    pub callee_tenant: String,
    /// SHA-256 of the caller's certificate, as seen in the handshake.
    pub caller_fingerprint: Bytes32,
    /// SHA-256 of the callee's certificate, as seen in the handshake.
    pub callee_fingerprint: Bytes32,
}

impl DtlsCall {
    /// The code that both screens must show.
    ///
    /// # Errors
    /// When a name has more than 65,535 bytes.
    pub fn security_code(&self) -> Result<SecurityCode, TooLong> {
        let hash = hash(&[
            b"overheard/1 dtls code",
            &self.call_id,
            self.caller.to_lowercase().as_bytes(),
            self.caller_tenant.to_lowercase().as_bytes(),
            self.callee.to_lowercase().as_bytes(),
            self.callee_tenant.to_lowercase().as_bytes(),
            &self.caller_fingerprint,
            &self.callee_fingerprint,
        ])?;
        Ok(SecurityCode::from_hash(&hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_leading_zeros() {
        let mut hash = [0; 32];
        hash[15] = 7;
        assert_eq!(SecurityCode::from_hash(&hash).to_string(), "00000 00000 00000 00007");
        assert_eq!(SecurityCode::from_hash(&[0xff; 32]).to_string(), "63374 60743 17682 11455");
    }
}
