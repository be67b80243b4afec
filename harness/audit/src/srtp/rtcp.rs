//! Opening SRTCP packets (RFC 3711 §3.4, RFC 7714 §9).

use super::cipher::Cipher;
use super::derivation::{self, SessionKeys};
use super::{MasterKey, Profile};

/// The flag of an encrypted packet in the word that holds the index.
const ENCRYPTED: u32 = 1 << 31;
/// Bytes of the header of the first report, which stay in the clear.
const CLEAR: usize = 8;
/// Bytes of the tag of HMAC-SHA-1: also in the profile with short tags on RTP (RFC 5764 §4.1.2).
const TAG: usize = 10;

/// Opens the SRTCP packets of one direction.
pub struct RtcpOpener {
    cipher: Cipher,
}

/// An RTCP packet whose tag fitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedRtcp {
    /// The 31 bits that make each packet's nonce different.
    pub index: u32,
    /// False when it was authenticated and travelled in the clear.
    pub encrypted: bool,
    /// The compound packet as RTCP.
    pub packet: Vec<u8>,
}

impl RtcpOpener {
    /// Derives the session keys.
    pub fn new(master: &MasterKey) -> Self {
        let keys = SessionKeys::derive(&master.key, &master.salt, derivation::RTCP);
        Self::keyed(master.profile, &keys).expect("derived keys have the lengths of their profile")
    }

    /// From session keys.
    pub(super) fn keyed(profile: Profile, keys: &SessionKeys) -> Option<Self> {
        Some(Self { cipher: Cipher::new(profile, keys, TAG)? })
    }

    /// Opens one packet. None when the tag does not fit or it is too short to be one.
    pub fn open(&self, packet: &[u8]) -> Option<OpenedRtcp> {
        let ssrc = u32::from_be_bytes(packet.get(4..CLEAR)?.try_into().ok()?);
        match &self.cipher {
            Cipher::CounterMode(cipher) => {
                let (authenticated, tag) =
                    packet.split_at_checked(packet.len().checked_sub(cipher.tag_length)?)?;
                let (sealed, word) = split_word(authenticated)?;
                if sealed.len() < CLEAR || !cipher.tag_fits([authenticated, &[]], tag) {
                    return None;
                }
                let mut opened = OpenedRtcp::new(word, sealed.to_vec());
                if opened.encrypted {
                    cipher.apply(ssrc, u64::from(opened.index), opened.packet.get_mut(CLEAR..)?);
                }
                Some(opened)
            }
            Cipher::Gcm(cipher) => {
                let (sealed, word) = split_word(packet)?;
                let clear_length = if word & ENCRYPTED == 0 { sealed.len().checked_sub(16)? } else { CLEAR };
                let (clear, sealed) = sealed.split_at_checked(clear_length)?;
                if clear.len() < CLEAR {
                    return None;
                }
                let mut opened = OpenedRtcp::new(word, clear.to_vec());
                let header = [clear, &word.to_be_bytes()].concat();
                let mut body = sealed.to_vec();
                let length = cipher.open(ssrc, u64::from(opened.index), &header, &mut body)?;
                opened.packet.extend_from_slice(body.get(..length)?);
                Some(opened)
            }
        }
    }
}

impl OpenedRtcp {
    fn new(word: u32, packet: Vec<u8>) -> Self {
        Self { index: word & !ENCRYPTED, encrypted: word & ENCRYPTED != 0, packet }
    }
}

/// Takes the last four bytes off: the flag and the index.
fn split_word(bytes: &[u8]) -> Option<(&[u8], u32)> {
    let (rest, word) = bytes.split_last_chunk::<4>()?;
    Some((rest, u32::from_be_bytes(*word)))
}
