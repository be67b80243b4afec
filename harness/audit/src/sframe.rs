//! Opens SFrame ciphertexts (RFC 9605) from base keys; it never seals, and never hands out a byte
//! whose tag did not fit.

mod cipher;
mod header;
mod key;

pub use header::Header;
pub use key::{FrameOpener, Guess, Guesses};

/// A cipher suite of RFC 9605 §4.5, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suite {
    /// `AES_128_CTR_HMAC_SHA256_80`, number 1.
    Aes128CtrTag80,
    /// `AES_128_CTR_HMAC_SHA256_64`, number 2.
    Aes128CtrTag64,
    /// `AES_128_CTR_HMAC_SHA256_32`, number 3.
    Aes128CtrTag32,
    /// `AES_128_GCM_SHA256_128`, number 4: the suite of `frames`.
    Aes128Gcm,
    /// `AES_256_GCM_SHA512_128`, number 5.
    Aes256Gcm,
}

impl Suite {
    /// Every suite that can be opened, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Aes128CtrTag80, Self::Aes128CtrTag64, Self::Aes128CtrTag32, Self::Aes128Gcm, Self::Aes256Gcm];

    /// The number at IANA.
    pub const fn number(self) -> u16 {
        match self {
            Self::Aes128CtrTag80 => 1,
            Self::Aes128CtrTag64 => 2,
            Self::Aes128CtrTag32 => 3,
            Self::Aes128Gcm => 4,
            Self::Aes256Gcm => 5,
        }
    }

    /// The suite of that number.
    pub fn numbered(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.number() == number)
    }

    /// Bytes of the tag at the end of a ciphertext.
    pub const fn tag_length(self) -> usize {
        match self {
            Self::Aes128CtrTag80 => 10,
            Self::Aes128CtrTag64 => 8,
            Self::Aes128CtrTag32 => 4,
            Self::Aes128Gcm | Self::Aes256Gcm => 16,
        }
    }

    /// Bytes of the derived key: for suites 1 to 3 the cipher's key and then the authentication
    /// key.
    const fn key_length(self) -> usize {
        match self {
            Self::Aes128CtrTag80 | Self::Aes128CtrTag64 | Self::Aes128CtrTag32 => 48,
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }
}

#[cfg(test)]
mod tests;
