//! STUN messages (RFC 8489 §5): header and attributes.
//!
//! Invariant: a message is accepted when its magic cookie and its length fit the datagram exactly.

use std::net::{IpAddr, SocketAddr};

/// The value at offset 4 of every message (RFC 8489 §5).
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// Attribute types that are read here (RFC 8489 §18.3, RFC 8656 §18).
pub mod attribute {
    /// CHANNEL-NUMBER.
    pub const CHANNEL_NUMBER: u16 = 0x000C;
    /// XOR-PEER-ADDRESS.
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    /// DATA.
    pub const DATA: u16 = 0x0013;
    /// XOR-RELAYED-ADDRESS.
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
}

/// A message, borrowed from its datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Method: 1 is Binding (RFC 8489 §18.2); 12 bits.
    pub method: u16,
    /// Class: 0 request, 1 indication, 2 success, 3 error.
    pub class: u8,
    /// Cookie and transaction id: 16 bytes, as used by XOR addresses.
    pub transaction: &'a [u8],
    /// Type and value of each attribute, padding left out.
    pub attributes: Vec<(u16, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// Reads a datagram that is one whole message.
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        let kind = u16_at(datagram, 0)?;
        let length = usize::from(u16_at(datagram, 2)?);
        let transaction = datagram.get(4..20)?;
        let cookie = transaction.get(..4)?;
        if kind & 0xC000 != 0 || cookie != MAGIC_COOKIE.to_be_bytes() || datagram.len() != 20 + length {
            return None;
        }
        let mut attributes = Vec::new();
        let mut rest = datagram.get(20..)?;
        while !rest.is_empty() {
            let (kind, length) = (u16_at(rest, 0)?, usize::from(u16_at(rest, 2)?));
            attributes.push((kind, rest.get(4..4 + length)?));
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        // RFC 8489 §5: the two class bits stand at positions 4 and 8 of the type.
        let method = (kind & 0x000F) | (kind & 0x00E0) >> 1 | (kind & 0x3E00) >> 2;
        let class = u8::try_from((kind & 0x0010) >> 4 | (kind & 0x0100) >> 7).ok()?;
        Some(Self { method, class, transaction, attributes })
    }

    /// Whether a datagram is a message of the first STUN (RFC 3489 §11), which has no cookie: a Binding or Shared Secret
    /// message whose attributes, all known to that document, fill it exactly.
    pub fn is_classic(datagram: &[u8]) -> bool {
        let known = matches!(u16_at(datagram, 0), Some(1 | 2 | 0x101 | 0x102 | 0x111 | 0x112));
        let length = u16_at(datagram, 2).map(usize::from);
        let cookie = datagram.get(4..8) == Some(&MAGIC_COOKIE.to_be_bytes()[..]);
        let Some(mut rest) = datagram.get(20..).filter(|rest| known && !cookie && Some(rest.len()) == length)
        else {
            return false;
        };
        while let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
            let Some(behind) = rest.get(4 + usize::from(length)..).filter(|_| length % 4 == 0) else {
                return false;
            };
            if !(1..=0x0B).contains(&kind) {
                return false;
            }
            rest = behind;
        }
        rest.is_empty()
    }

    /// The value of the first attribute of type `wanted`.
    pub fn attribute(&self, wanted: u16) -> Option<&'a [u8]> {
        self.attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| *value)
    }

    /// An address that is XORed with cookie and transaction id (RFC 8489 §14.2).
    pub fn xor_address(&self, wanted: u16) -> Option<SocketAddr> {
        let value = self.attribute(wanted)?;
        let port = u16_at(value, 2)? ^ 0x2112;
        let unmask = |bytes: &[u8]| -> Vec<u8> {
            bytes.iter().zip(self.transaction).map(|(b, mask)| b ^ mask).collect()
        };
        let ip = match value.get(1)? {
            1 => IpAddr::from(<[u8; 4]>::try_from(unmask(value.get(4..8)?)).ok()?),
            2 => IpAddr::from(<[u8; 16]>::try_from(unmask(value.get(4..20)?)).ok()?),
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }
}

/// The two bytes at `at`, big endian.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The four bytes at `at`, big endian.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5769 §2.2, the IPv4 response, cut after XOR-MAPPED-ADDRESS and with its length changed to fit.
    const RESPONSE: &str = "0101001c2112a442b7e7a701bc34d686fa87dfae\
        8022000b7465737420766563746f7220\
        002000080001a147e112a643";

    #[test]
    fn an_xored_address_is_the_published_one() {
        let bytes = hex::decode(RESPONSE).expect("hex");
        let message = Message::parse(&bytes).expect("a message");
        assert_eq!((message.method, message.class), (1, 2));
        assert_eq!(message.xor_address(0x0020), Some("192.0.2.1:32853".parse().expect("an address")));
        assert_eq!(message.attribute(0x8022), Some(&b"test vector"[..]));
        assert_eq!(message.attribute(0x0006), None);
    }

    #[test]
    fn a_message_that_does_not_fill_its_datagram_is_none() {
        let mut bytes = hex::decode(RESPONSE).expect("hex");
        bytes.push(0);
        assert_eq!(Message::parse(&bytes), None);
        assert_eq!(Message::parse(&bytes[..20]), None);
        bytes.pop();
        bytes[4] ^= 1;
        assert_eq!(Message::parse(&bytes), None);
    }

    #[test]
    fn the_first_stun_has_no_cookie_and_fills_its_datagram() {
        let mut bytes = vec![0x01, 0x01, 0, 12];
        bytes.extend([9; 16]);
        bytes.extend([0, 1, 0, 8, 0, 1, 0x80, 0x55, 192, 0, 2, 1]);
        assert!(Message::is_classic(&bytes) && Message::parse(&bytes).is_none());
        assert!(!Message::is_classic(&bytes[..31]), "cut");
        assert!(!Message::is_classic(&hex::decode(RESPONSE).expect("hex")), "it has a cookie");
        bytes[21] = 0x40;
        assert!(!Message::is_classic(&bytes), "an attribute that RFC 3489 does not know");
        bytes[1] = 3;
        assert!(!Message::is_classic(&bytes), "another method");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut framed = vec![0, 1, 0, u8::try_from(bytes.len()).expect("short"), 0x21, 0x12, 0xa4, 0x42];
            framed.extend([0; 12]);
            framed.extend(&bytes);
            if let Some(message) = Message::parse(&framed) {
                message.xor_address(message.attributes.first().map_or(0, |(kind, _)| *kind));
            }
            Message::parse(&bytes);
        }
    }
}
