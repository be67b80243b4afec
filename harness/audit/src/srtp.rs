//! Opens SRTP and SRTCP (RFC 3711, RFC 7714) from master keys; it never seals, and never hands out
//! a byte whose tag did not fit.
//!
//! Session keys belong to a master key and not to an SSRC (the key derivation rate is 0), so one
//! [`RtpOpener`] serves every stream of a key; what belongs to an SSRC is its [`Rollover`].

mod cipher;
mod derivation;
mod packet;
mod rollover;
mod rtcp;
mod rtp;

use std::fmt;

use derivation::SessionKeys;
pub use packet::{header_length, without_mki, without_padding};
pub use rollover::Rollover;
pub use rtcp::{OpenedRtcp, RtcpOpener};
pub use rtp::{Guess, RtpOpener, fits};

/// A protection profile of DTLS-SRTP, by its name at IANA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80` (RFC 5764 §4.1.2).
    AesCmSha1Tag80,
    /// `SRTP_AES128_CM_HMAC_SHA1_32`: 4 bytes of tag on RTP, 10 on RTCP (RFC 5764 §4.1.2).
    AesCmSha1Tag32,
    /// `SRTP_AEAD_AES_128_GCM` (RFC 7714 §14.2).
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM` (RFC 7714 §14.2).
    AeadAes256Gcm,
    /// `AES_256_CM_HMAC_SHA1_80`, a suite of SDES only (RFC 6188 §4).
    Aes256CmSha1Tag80,
    /// `AES_256_CM_HMAC_SHA1_32`, likewise.
    Aes256CmSha1Tag32,
}

impl Profile {
    /// Every profile of DTLS-SRTP that can be opened, in the order of their numbers.
    pub const ALL: [Self; 4] =
        [Self::AesCmSha1Tag80, Self::AesCmSha1Tag32, Self::AeadAes128Gcm, Self::AeadAes256Gcm];

    /// The name at IANA, as key files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AesCmSha1Tag80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AesCmSha1Tag32 => "SRTP_AES128_CM_HMAC_SHA1_32",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
            Self::Aes256CmSha1Tag80 => "AES_256_CM_HMAC_SHA1_80",
            Self::Aes256CmSha1Tag32 => "AES_256_CM_HMAC_SHA1_32",
        }
    }

    /// The profile of that IANA name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The number in the extension `use_srtp` (RFC 5764 §4.1.2, RFC 7714 §14.2); what only SDES names has none.
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::AesCmSha1Tag80 => Some(0x0001),
            Self::AesCmSha1Tag32 => Some(0x0002),
            Self::AeadAes128Gcm => Some(0x0007),
            Self::AeadAes256Gcm => Some(0x0008),
            Self::Aes256CmSha1Tag80 | Self::Aes256CmSha1Tag32 => None,
        }
    }

    /// The profile of that number.
    pub fn numbered(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.number() == Some(number))
    }

    /// Bytes of a master key, which are those of a session key too.
    pub const fn key_length(self) -> usize {
        match self {
            Self::AesCmSha1Tag80 | Self::AesCmSha1Tag32 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm | Self::Aes256CmSha1Tag80 | Self::Aes256CmSha1Tag32 => 32,
        }
    }

    /// Bytes of a master salt.
    pub const fn salt_length(self) -> usize {
        match self {
            Self::AesCmSha1Tag80
            | Self::AesCmSha1Tag32
            | Self::Aes256CmSha1Tag80
            | Self::Aes256CmSha1Tag32 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes that the tag adds to an RTP packet.
    pub const fn rtp_tag_length(self) -> usize {
        match self {
            Self::AesCmSha1Tag80 | Self::Aes256CmSha1Tag80 => 10,
            Self::AesCmSha1Tag32 | Self::Aes256CmSha1Tag32 => 4,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// Whether the tag is an HMAC beside a cipher in counter mode; else it is that of GCM.
    pub const fn is_counter_mode(self) -> bool {
        !matches!(self, Self::AeadAes128Gcm | Self::AeadAes256Gcm)
    }
}

/// Master key and master salt of one direction.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MasterKey {
    profile: Profile,
    key: Vec<u8>,
    salt: Vec<u8>,
}

/// A master key of another length than its profile's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} takes {expected} bytes, the master key and then the salt, not {found}; copy the whole of both",
    .profile.name()
)]
pub struct WrongLength {
    /// The profile that the key is for.
    pub profile: Profile,
    /// Bytes of key and salt together.
    pub expected: usize,
    /// Bytes that there were.
    pub found: usize,
}

impl MasterKey {
    /// Splits `bytes`, the master key and then the master salt.
    ///
    /// # Errors
    /// When there are fewer or more bytes than the profile takes.
    pub fn new(profile: Profile, bytes: &[u8]) -> Result<Self, WrongLength> {
        let expected = profile.key_length() + profile.salt_length();
        match bytes.split_at_checked(profile.key_length()) {
            Some((key, salt)) if bytes.len() == expected => {
                Ok(Self { profile, key: key.to_vec(), salt: salt.to_vec() })
            }
            _ => Err(WrongLength { profile, expected, found: bytes.len() }),
        }
    }

    /// The profile that it is for.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The master key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The master salt.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.profile.name())
    }
}

/// Session keys of RTP and then of RTCP: cipher key, authentication key (where the profile has one) and salt of
/// each.
pub fn session_keys(master: &MasterKey) -> Vec<Vec<u8>> {
    let authenticates = master.profile.is_counter_mode();
    let of = |label| {
        let keys = SessionKeys::derive(&master.key, &master.salt, label);
        let salt = keys.salt.get(..master.salt.len()).unwrap_or_default().to_vec();
        let authentication = if authenticates { keys.authentication.to_vec() } else { Vec::new() };
        [keys.cipher, authentication, salt]
    };
    [derivation::RTP, derivation::RTCP].into_iter().flat_map(of).filter(|key| !key.is_empty()).collect()
}

/// Opens a packet under session keys of GCM, as the vectors of RFC 7714 §16 and §17 state them,
/// with a rollover counter of 0.
pub(crate) fn open_under_session_keys(
    profile: Profile,
    key: &[u8],
    salt: &[u8],
    packet: &[u8],
    is_rtcp: bool,
) -> Option<Vec<u8>> {
    let mut keys = SessionKeys { cipher: key.to_vec(), authentication: [0; 20], salt: [0; 14] };
    keys.salt.get_mut(..salt.len())?.copy_from_slice(salt);
    match is_rtcp {
        false => RtpOpener::keyed(profile, &keys)?.open(packet, 0),
        true => Some(RtcpOpener::keyed(profile, &keys)?.open(packet)?.packet),
    }
}

#[cfg(test)]
mod tests;
