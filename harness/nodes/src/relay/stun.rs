//! STUN messages as the relay reads and writes them (RFC 8489 §5, §14).
//!
//! Invariant: a message fills its datagram exactly, and one with a wrong FINGERPRINT is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The value at offset 4 of every message (RFC 8489 §5).
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// What the CRC of FINGERPRINT is XORed with (RFC 8489 §14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554E;
/// Type, length and cookie with transaction id.
const HEADER_BYTES: usize = 20;
/// Type and length of an attribute.
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// Length of the value of MESSAGE-INTEGRITY (RFC 8489 §14.5).
const INTEGRITY_BYTES: usize = 20;
/// Length of the value of FINGERPRINT (RFC 8489 §14.7).
const FINGERPRINT_BYTES: usize = 4;

/// Methods (RFC 8489 §18.2, RFC 8656 §17).
pub(super) mod method {
    pub(in super::super) const BINDING: u16 = 0x001;
    pub(in super::super) const ALLOCATE: u16 = 0x003;
    pub(in super::super) const REFRESH: u16 = 0x004;
    pub(in super::super) const SEND: u16 = 0x006;
    pub(in super::super) const DATA: u16 = 0x007;
    pub(in super::super) const CREATE_PERMISSION: u16 = 0x008;
    pub(in super::super) const CHANNEL_BIND: u16 = 0x009;
}

/// Attribute types (RFC 8489 §18.3, RFC 8656 §18).
pub(super) mod attribute {
    pub(in super::super) const USERNAME: u16 = 0x0006;
    pub(in super::super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(in super::super) const ERROR_CODE: u16 = 0x0009;
    pub(in super::super) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(in super::super) const CHANNEL_NUMBER: u16 = 0x000C;
    pub(in super::super) const LIFETIME: u16 = 0x000D;
    pub(in super::super) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(in super::super) const DATA: u16 = 0x0013;
    pub(in super::super) const REALM: u16 = 0x0014;
    pub(in super::super) const NONCE: u16 = 0x0015;
    pub(in super::super) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(in super::super) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(in super::super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(in super::super) const FINGERPRINT: u16 = 0x8028;
}

/// What kind of message it is (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Answers a request that was granted.
    Success,
    /// Answers a request that was not.
    Error,
}

impl Class {
    const ALL: [Self; 4] = [Self::Request, Self::Indication, Self::Success, Self::Error];

    /// The two class bits, which stand at positions 4 and 8 of the type (RFC 8489 §5).
    const fn bits(self) -> u16 {
        match self {
            Self::Request => 0x0000,
            Self::Indication => 0x0010,
            Self::Success => 0x0100,
            Self::Error => 0x0110,
        }
    }
}

/// A message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// 12 bits.
    pub(super) method: u16,
    pub(super) class: Class,
    /// 96 bits.
    pub(super) transaction: [u8; 12],
    /// Type and value of each attribute up to MESSAGE-INTEGRITY, padding left out (RFC 8489 §14.5: what follows it
    /// does not count).
    pub(super) attributes: Vec<(u16, Vec<u8>)>,
    integrity: Option<Integrity>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Integrity {
    /// The message up to the attribute, with a length that ends behind it.
    covered: Vec<u8>,
    tag: Vec<u8>,
}

impl Message {
    /// Reads a datagram that is one whole message.
    pub(super) fn parse(datagram: &[u8]) -> Option<Self> {
        let kind = u16_at(datagram, 0)?;
        let length = usize::from(u16_at(datagram, 2)?);
        let fits = datagram.len() == HEADER_BYTES + length && length.is_multiple_of(4);
        if kind & 0xC000 != 0 || datagram.get(4..8)? != MAGIC_COOKIE || !fits {
            return None;
        }
        let mut message = Self {
            method: (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2,
            class: Class::ALL.into_iter().find(|class| class.bits() == kind & 0x0110)?,
            transaction: datagram.get(8..HEADER_BYTES)?.try_into().ok()?,
            attributes: Vec::new(),
            integrity: None,
        };
        let mut at = HEADER_BYTES;
        while at < datagram.len() {
            let (kind, length) = (u16_at(datagram, at)?, usize::from(u16_at(datagram, at + 2)?));
            let start = at + ATTRIBUTE_HEADER_BYTES;
            let value = datagram.get(start..start + length)?;
            let next = start + length.next_multiple_of(4);
            match kind {
                attribute::FINGERPRINT => {
                    let ends = next == datagram.len();
                    let right =
                        u32::from_be_bytes(value.try_into().ok()?) == fingerprint(datagram.get(..at)?);
                    return (ends && right).then_some(message);
                }
                _ if message.integrity.is_some() => {}
                attribute::MESSAGE_INTEGRITY => {
                    let covered = with_length(datagram.get(..at)?, next - HEADER_BYTES)?;
                    message.integrity = Some(Integrity { covered, tag: value.to_vec() });
                }
                kind => message.attributes.push((kind, value.to_vec())),
            }
            at = next;
        }
        Some(message)
    }

    /// The value of the first attribute of type `wanted`; a later one of the same type is ignored (RFC 8489 §14).
    pub(super) fn attribute(&self, wanted: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value.as_slice())
    }

    /// The first attribute of type `wanted` as text.
    pub(super) fn text(&self, wanted: u16) -> Option<&str> {
        std::str::from_utf8(self.attribute(wanted)?).ok()
    }

    /// The address in the first attribute of type `wanted`.
    pub(super) fn address(&self, wanted: u16) -> Option<SocketAddr> {
        self.unmask(self.attribute(wanted)?)
    }

    /// The addresses in every attribute of type `wanted`; none when one of them cannot be read.
    pub(super) fn addresses(&self, wanted: u16) -> Option<Vec<SocketAddr>> {
        let values = self.attributes.iter().filter(|(kind, _)| *kind == wanted);
        values.map(|(_, value)| self.unmask(value)).collect()
    }

    /// Takes the XOR off an address (RFC 8489 §14.2).
    fn unmask(&self, value: &[u8]) -> Option<SocketAddr> {
        let mask = mask(&self.transaction);
        let port = u16_at(value, 2)? ^ u16_at(&MAGIC_COOKIE, 0)?;
        let bytes: Vec<u8> = value.get(4..)?.iter().zip(mask).map(|(b, m)| b ^ m).collect();
        let ip = match value.get(1)? {
            1 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
            2 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }

    /// Whether the message carries MESSAGE-INTEGRITY at all.
    pub(super) const fn claims_integrity(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether MESSAGE-INTEGRITY fits `key` (RFC 8489 §14.5).
    pub(super) fn has_integrity(&self, key: &[u8]) -> bool {
        let Some(Integrity { covered, tag }) = &self.integrity else { return false };
        hmac(key, covered).verify_slice(tag).is_ok()
    }
}

/// A message that is being written.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new(method: u16, class: Class, transaction: &[u8; 12]) -> Self {
        let kind = (method & 0x000F) | (method & 0x0070) << 1 | (method & 0x0F80) << 2 | class.bits();
        let mut bytes = kind.to_be_bytes().to_vec();
        bytes.extend([0, 0]);
        bytes.extend(MAGIC_COOKIE);
        bytes.extend(transaction);
        Self { bytes }
    }

    pub(super) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).expect("the relay writes no attribute of 64 KiB");
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// An address, XORed with cookie and transaction id (RFC 8489 §14.2).
    pub(super) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let (family, ip) = match address.ip() {
            IpAddr::V4(ip) => (1, ip.octets().to_vec()),
            IpAddr::V6(ip) => (2, ip.octets().to_vec()),
        };
        let mut value = vec![0, family];
        value.extend(address.port().to_be_bytes().iter().zip(MAGIC_COOKIE).map(|(b, m)| b ^ m));
        let transaction = self.bytes.get(8..HEADER_BYTES).unwrap_or_default();
        let masked: Vec<u8> = ip.iter().zip(mask(transaction)).map(|(b, m)| b ^ m).collect();
        value.extend(masked);
        self.attribute(kind, &value)
    }

    /// MESSAGE-INTEGRITY under `key`; only FINGERPRINT may follow.
    pub(super) fn integrity(self, key: &[u8]) -> Self {
        let length = self.bytes.len() + ATTRIBUTE_HEADER_BYTES + INTEGRITY_BYTES - HEADER_BYTES;
        let covered = with_length(&self.bytes, length).expect("a message begins with its header");
        self.attribute(attribute::MESSAGE_INTEGRITY, &hmac(key, &covered).finalize().into_bytes())
    }

    /// The datagram, with FINGERPRINT at its end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = self.bytes.len() + ATTRIBUTE_HEADER_BYTES + FINGERPRINT_BYTES - HEADER_BYTES;
        self.bytes = with_length(&self.bytes, length).expect("a message begins with its header");
        let value = fingerprint(&self.bytes).to_be_bytes();
        self.attribute(attribute::FINGERPRINT, &value).bytes
    }
}

fn hmac(key: &[u8], covered: &[u8]) -> Hmac<Sha1> {
    Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length").chain_update(covered)
}

/// The same message with another length in its header.
fn with_length(message: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut message = message.to_vec();
    message.get_mut(2..4)?.copy_from_slice(&u16::try_from(length).ok()?.to_be_bytes());
    Some(message)
}

fn mask(transaction: &[u8]) -> impl Iterator<Item = u8> {
    MAGIC_COOKIE.into_iter().chain(transaction.to_vec())
}

/// The value of FINGERPRINT for a message up to that attribute, whose header already counts it (RFC 8489 §14.7).
fn fingerprint(covered: &[u8]) -> u32 {
    crc32(covered) ^ FINGERPRINT_MASK
}

/// CRC-32 of ITU V.42, bit by bit: the messages are short.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 })
    })
}

/// The two bytes at `at`, big endian.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// The four bytes of a value that has no others, big endian.
pub(super) fn u32_of(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// RFC 5769 §2.1, the request.
    const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae\
        802200105354554e207465737420636c69656e74\
        002400046e0001ff80290008932ff9b151263b36\
        000600096576746a3a68367659202020\
        000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2\
        80280004e57a3bcf";
    /// RFC 5769 §2.2, the IPv4 response.
    const RESPONSE: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae\
        8022000b7465737420766563746f7220\
        002000080001a147e112a643\
        000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7\
        80280004c07d4c96";
    /// The password of both.
    const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex).expect("hex")
    }

    #[rstest]
    #[case::request(REQUEST, Class::Request)]
    #[case::response(RESPONSE, Class::Success)]
    fn a_published_message_has_the_integrity_of_its_password(#[case] hex: &str, #[case] class: Class) {
        let message = Message::parse(&bytes(hex)).expect("a message");
        assert_eq!((message.method, message.class), (method::BINDING, class));
        assert!(message.has_integrity(PASSWORD));
        assert!(!message.has_integrity(b"another"));
    }

    #[test]
    fn the_address_and_the_text_of_the_published_messages_are_read() {
        let response = Message::parse(&bytes(RESPONSE)).expect("a message");
        let address = "192.0.2.1:32853".parse().expect("an address");
        assert_eq!(response.address(attribute::XOR_MAPPED_ADDRESS), Some(address));
        let request = Message::parse(&bytes(REQUEST)).expect("a message");
        assert_eq!(request.text(attribute::USERNAME), Some("evtj:h6vY"));
        assert_eq!(request.text(attribute::REALM), None);
    }

    #[test]
    fn a_changed_bit_makes_the_published_message_none_or_takes_its_integrity() {
        let request = bytes(REQUEST);
        let covered = request.len() - ATTRIBUTE_HEADER_BYTES - FINGERPRINT_BYTES;
        for bit in 0..covered * 8 {
            let mut changed = request.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let read = Message::parse(&changed);
            assert!(read.is_none_or(|message| !message.has_integrity(PASSWORD)), "bit {bit}");
        }
    }

    #[rstest]
    #[case::cut(&REQUEST[..80])]
    #[case::too_long(&format!("{REQUEST}00000000"))]
    #[case::wrong_cookie(&REQUEST.replacen("2112a442", "2112a443", 1))]
    #[case::first_bits(&REQUEST.replacen("0001", "8001", 1))]
    #[case::fingerprint_not_last("0001000c2112a442b7e7a701bc34d686fa87dfae80280004000000000006000000000000")]
    fn what_is_no_whole_message_is_none(#[case] hex: &str) {
        assert_eq!(Message::parse(&bytes(hex)), None);
    }

    #[test]
    fn what_is_written_is_read_again_and_what_follows_the_integrity_does_not_count() {
        let (v4, v6) = ("10.0.0.9:3478".parse().expect("v4"), "[2001:db8::1]:7".parse().expect("v6"));
        let written = Writer::new(method::CHANNEL_BIND, Class::Error, &[7; 12])
            .attribute(attribute::NONCE, b"odd")
            .address(attribute::XOR_PEER_ADDRESS, v4)
            .address(attribute::XOR_PEER_ADDRESS, v6)
            .integrity(b"key")
            .attribute(attribute::REALM, b"late")
            .finish();
        let message = Message::parse(&written).expect("a message");
        assert_eq!((message.method, message.class), (method::CHANNEL_BIND, Class::Error));
        assert_eq!(message.transaction, [7; 12]);
        assert_eq!(message.attribute(attribute::NONCE), Some(&b"odd"[..]));
        assert_eq!(message.addresses(attribute::XOR_PEER_ADDRESS), Some(vec![v4, v6]));
        assert_eq!(message.attribute(attribute::REALM), None);
        assert!(message.has_integrity(b"key"));
    }

    #[test]
    fn a_message_without_integrity_has_none_under_any_key() {
        let message = Message::parse(&Writer::new(1, Class::Request, &[0; 12]).finish()).expect("a message");
        assert!(!message.claims_integrity());
        assert!(!message.has_integrity(b""));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let length = u8::try_from(bytes.len()).expect("short");
            let mut framed = vec![0, 1, 0, length, 0x21, 0x12, 0xa4, 0x42];
            framed.extend([0; 12]);
            framed.extend(&bytes);
            if let Some(message) = Message::parse(&framed) {
                for (kind, _) in &message.attributes {
                    message.addresses(*kind);
                }
            }
            Message::parse(&bytes);
        }
    }
}
