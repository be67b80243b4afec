//! Names in the clear by which an observer knows a user or a device again.
//!
//! Invariant: what is kept is bounded, and of a name only its hash, so that no report repeats it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use super::listed::Listed;
use super::survey::Association;
use crate::dissect::rtcp;
use crate::dissect::stun::Message;

/// Names of one kind that are told apart.
const NAMES: usize = 10_000;
/// Attributes of STUN that name somebody or something (RFC 8489 §14), by number.
const ATTRIBUTES: [(u16, &str); 3] =
    [(0x0006, "STUN USERNAME"), (0x0014, "STUN REALM"), (0x8022, "STUN SOFTWARE")];

/// The names of a capture.
#[derive(Debug, Default)]
pub struct Identifiers {
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    names: BTreeMap<u64, u64>,
    last: Option<u64>,
    packets: Listed,
}

impl Identifiers {
    fn add(&mut self, kind: &'static str, name: &[u8], number: u64) {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let (kind, hash) = (self.kinds.entry(kind).or_default(), hasher.finish());
        if kind.names.len() < NAMES || kind.names.contains_key(&hash) {
            *kind.names.entry(hash).or_default() += 1;
        }
        // A packet with several names is one packet.
        if kind.last != Some(number) {
            kind.last = Some(number);
            kind.packets.push(number);
        }
    }

    /// Takes in a message of STUN.
    pub fn stun(&mut self, number: u64, message: &Message<'_>) {
        for (attribute, kind) in ATTRIBUTES {
            if let Some(name) = message.attribute(attribute) {
                self.add(kind, name, number);
            }
        }
    }

    /// Takes in RTCP in the clear.
    pub fn rtcp(&mut self, number: u64, datagram: &[u8]) {
        let names: Vec<&[u8]> = rtcp::packets(datagram).iter().flat_map(rtcp::Packet::cnames).collect();
        for (at, name) in names.iter().enumerate() {
            if !names.iter().take(at).any(|before| before == name) {
                self.add("RTCP CNAME", name, number);
            }
        }
    }

    /// One sentence for each kind, with its packets.
    pub fn told(&self) -> impl Iterator<Item = (String, &Listed)> {
        self.kinds.iter().map(|(name, kind)| {
            let most = kind.names.values().max().copied().unwrap_or_default();
            let text = format!(
                "{} packets carry {name} in the clear, with {} different values; the commonest stands in {most}",
                kind.packets.total,
                kind.names.len()
            );
            (text, &kind.packets)
        })
    }
}

/// How many certificates, seen in the clear, serve in several handshakes of different ends, with the packets.
pub fn certificates(associations: &[Association]) -> (usize, Listed) {
    let mut seen: BTreeMap<[u8; 32], BTreeMap<(SocketAddr, SocketAddr), &Listed>> = BTreeMap::new();
    for association in associations {
        let ends = (association.way.source, association.way.destination);
        for fingerprint in [association.near.fingerprint, association.far.fingerprint].into_iter().flatten() {
            // One handshake that crosses several links is one.
            seen.entry(fingerprint).or_default().entry(ends).or_insert(&association.packets);
        }
    }
    let again: Vec<_> = seen.values().filter(|handshakes| handshakes.len() > 1).collect();
    let mut numbers: Vec<u64> = again
        .iter()
        .flat_map(|handshakes| handshakes.values())
        .flat_map(|packets| packets.numbers.clone())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    (again.len(), numbers.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attribute: u16, name: &[u8; 4]) -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
        bytes.extend([0; 12]);
        bytes.extend(attribute.to_be_bytes());
        bytes.extend([0, 4]);
        bytes.extend(name);
        bytes
    }

    #[test]
    fn a_name_in_a_report_is_told_once_a_packet() {
        let mut identifiers = Identifiers::default();
        let chunk = [1, 2, 3, 4, 1, 4, b'a', b'n', b'n', b'a', 0, 0];
        let twice = [&[0x82, 202, 0, 6][..], &chunk, &chunk].concat();
        identifiers.rtcp(5, &twice);
        identifiers.rtcp(6, &[0x80, 201, 0, 1, 1, 2, 3, 4]);
        let told: Vec<_> = identifiers.told().collect();
        assert_eq!(
            told[0].0,
            "1 packets carry RTCP CNAME in the clear, with 1 different values; the commonest stands in 1"
        );
        assert_eq!((told.len(), told[0].1.numbers.as_slice()), (1, &[5][..]));
    }

    #[test]
    fn names_are_counted_and_not_repeated() {
        let mut identifiers = Identifiers::default();
        for (number, name) in (1..).zip([b"anna", b"anna", b"bert"]) {
            let bytes = message(0x0006, name);
            identifiers.stun(number, &Message::parse(&bytes).expect("a message"));
        }
        let bytes = message(0x0009, b"none");
        identifiers.stun(4, &Message::parse(&bytes).expect("a message"));
        let told: Vec<_> = identifiers.told().collect();
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].0,
            "3 packets carry STUN USERNAME in the clear, with 2 different values; the commonest stands in 2"
        );
        assert_eq!(told[0].1.numbers, [1, 2, 3]);
    }
}
