//! Which packets are sent again in a stream of their own (RFC 4588): two bytes of sequence number, then the payload.
//!
//! Invariant: a packet is one that is sent again only when the very payload went the same way before.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use super::stream::Way;

/// Payloads that are remembered, of all streams together.
const REMEMBERED: usize = 1 << 16;

/// The payloads that went by last.
#[derive(Debug, Default)]
pub struct Resent {
    hashes: RandomState,
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Resent {
    /// Takes a payload in. Of one that is sent again: its own sequence number and what was sent.
    pub fn take<'p>(&mut self, way: Way, sequence: u16, payload: &'p [u8]) -> Option<(u16, &'p [u8])> {
        if let Some((number, rest)) = payload.split_first_chunk::<2>() {
            let number = u16::from_be_bytes(*number);
            if !rest.is_empty() && self.known.contains(&self.hashes.hash_one((way, number, rest))) {
                return Some((number, rest));
            }
        }
        let hash = self.hashes.hash_one((way, sequence, payload));
        if self.known.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(port: u16) -> Way {
        let source = std::net::SocketAddr::from(([10, 0, 0, 1], port));
        Way { interface: 0, source, destination: source, through: None }
    }

    #[test]
    fn only_a_payload_that_went_the_same_way_is_sent_again() {
        let mut resent = Resent::default();
        assert_eq!(resent.take(way(1), 0x0102, b"frame"), None);
        assert_eq!(resent.take(way(1), 9, b"\x01\x02frame"), Some((0x0102, &b"frame"[..])));
        assert_eq!(resent.take(way(1), 9, b"\x01\x03frame"), None, "another number");
        assert_eq!(resent.take(way(1), 9, b"\x01\x02frames"), None, "another payload");
        assert_eq!(resent.take(way(2), 9, b"\x01\x02frame"), None, "another way");
        assert_eq!(resent.take(way(1), 7, b""), None);
    }

    #[test]
    fn what_went_by_long_ago_is_forgotten() {
        let mut resent = Resent::default();
        for n in 0..=REMEMBERED as u32 {
            assert_eq!(resent.take(way(1), 1, &n.to_be_bytes()), None);
        }
        assert_eq!(resent.known.len(), REMEMBERED);
        assert_eq!(resent.take(way(1), 2, b"\x00\x01\x00\x00\x00\x00"), None);
        assert!(resent.take(way(1), 2, b"\x00\x01\x00\x01\x00\x00").is_some());
    }
}
