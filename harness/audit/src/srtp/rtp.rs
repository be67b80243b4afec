//! Opening SRTP packets: with a key that is kept, and with a key that is only guessed.

use super::cipher::{Cipher, Gcm, authenticator, tag_fits};
use super::derivation::{self, SessionKeys, derive};
use super::packet::Header;
use super::{MasterKey, Profile};

/// Opens the SRTP packets of one direction, of every SSRC. Holds what is derived, so that a packet
/// costs no derivation; it has no memory of what it opened, so a replay opens again.
pub struct RtpOpener {
    cipher: Cipher,
}

impl RtpOpener {
    /// Derives the session keys.
    pub fn new(master: &MasterKey) -> Self {
        let keys = SessionKeys::derive(&master.key, &master.salt, derivation::RTP);
        Self::keyed(master.profile, &keys).expect("derived keys have the lengths of their profile")
    }

    /// From session keys.
    pub(super) fn keyed(profile: Profile, keys: &SessionKeys) -> Option<Self> {
        Some(Self { cipher: Cipher::new(profile, keys, profile.rtp_tag_length())? })
    }

    /// Opens one packet and returns its body: what follows the header, RTP padding included. `roc`
    /// is the number of times that the sequence number has started anew. None when the tag does not
    /// fit or this is no RTP packet.
    pub fn open(&self, packet: &[u8], roc: u32) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        self.open_into(packet, roc, &mut body).then_some(body)
    }

    /// Does what [`RtpOpener::open`] does without a new allocation; `body` means nothing unless it
    /// returns true.
    pub fn open_into(&self, packet: &[u8], roc: u32, body: &mut Vec<u8>) -> bool {
        Header::parse(packet).is_some_and(|header| self.open_body(packet, header, roc, body).is_some())
    }

    fn open_body(&self, packet: &[u8], header: Header, roc: u32, body: &mut Vec<u8>) -> Option<()> {
        let index = index(roc, header.sequence);
        body.clear();
        match &self.cipher {
            Cipher::CounterMode(cipher) => {
                let (sealed, tag) = packet.split_at_checked(packet.len().checked_sub(cipher.tag_length)?)?;
                let ciphertext = sealed.get(header.length..)?;
                if !cipher.tag_fits([sealed, &roc.to_be_bytes()], tag) {
                    return None;
                }
                body.extend_from_slice(ciphertext);
                cipher.apply(header.ssrc, index, body);
            }
            Cipher::Gcm(cipher) => {
                let (clear, sealed) = packet.split_at_checked(header.length)?;
                body.extend_from_slice(sealed);
                let length = cipher.open(header.ssrc, index, clear, body)?;
                body.truncate(length);
            }
        }
        Some(())
    }
}

/// The index of a packet: 48 bits (RFC 3711 §3.3.1).
fn index(roc: u32, sequence: u16) -> u64 {
    u64::from(roc) << 16 | u64::from(sequence)
}

/// A guessed master key and salt: the way of the sweep, which derives only what the tag needs.
pub struct Guess {
    profile: Profile,
    keyed: Keyed,
}

#[expect(clippy::large_enum_variant, reason = "one lives at a time, for the length of a trial")]
enum Keyed {
    CounterMode([u8; 20]),
    Gcm(Gcm),
}

impl Guess {
    /// None when key or salt have other lengths than the profile's.
    pub fn new(profile: Profile, key: &[u8], salt: &[u8]) -> Option<Self> {
        if key.len() != profile.key_length() || salt.len() != profile.salt_length() {
            return None;
        }
        let keyed = match profile.is_counter_mode() {
            true => {
                let mut authentication = [0; 20];
                derive(key, salt, derivation::RTP + 1, &mut authentication);
                Keyed::CounterMode(authentication)
            }
            false => {
                let mut cipher = [0; 32];
                let mut session_salt = [0; 12];
                let labels = [derivation::RTP, derivation::RTP + 2];
                derivation::derive_all(key, salt, labels, [&mut cipher[..key.len()], &mut session_salt]);
                Keyed::Gcm(Gcm::keyed(&cipher[..key.len()], session_salt)?)
            }
        };
        Some(Self { profile, keyed })
    }

    /// Whether it opens `packet`. `scratch` is overwritten.
    pub fn fits(&self, packet: &[u8], roc: u32, scratch: &mut Vec<u8>) -> bool {
        let Some(header) = Header::parse(packet) else { return false };
        match &self.keyed {
            Keyed::CounterMode(authentication) => {
                let sealed_length = packet.len().checked_sub(self.profile.rtp_tag_length());
                let Some(sealed_length) = sealed_length.filter(|length| *length >= header.length) else {
                    return false;
                };
                let (sealed, tag) = packet.split_at(sealed_length);
                authenticator(authentication)
                    .is_some_and(|mac| tag_fits(mac, [sealed, &roc.to_be_bytes()], tag))
            }
            Keyed::Gcm(gcm) => {
                let (clear, sealed) = packet.split_at(header.length);
                scratch.clear();
                scratch.extend_from_slice(sealed);
                gcm.open(header.ssrc, index(roc, header.sequence), clear, scratch).is_some()
            }
        }
    }
}

/// Whether a guessed master key and salt open `packet`. `scratch` is overwritten. False too when key
/// or salt have other lengths than the profile's.
pub fn fits(
    profile: Profile,
    key: &[u8],
    salt: &[u8],
    packet: &[u8],
    roc: u32,
    scratch: &mut Vec<u8>,
) -> bool {
    Guess::new(profile, key, salt).is_some_and(|guess| guess.fits(packet, roc, scratch))
}
