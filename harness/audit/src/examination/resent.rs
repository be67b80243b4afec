//! Which packets are sent again in a stream of their own (RFC 4588): two bytes of sequence number, then the payload.
//!
//! Invariant: a packet is one that is sent again only when the very payload went the same way before.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use model::audit::{AuditStream, Protection};

use super::opening::Opened;
use super::stream::{Stream, Way};

/// Payloads that are remembered, of all streams together.
const REMEMBERED: usize = 1 << 16;

/// The payloads that went by last.
#[derive(Debug, Default)]
pub struct Resent {
    hashes: RandomState,
    /// Hashes of way, sequence number and payload, with the SSRC.
    known: HashMap<u64, u32>,
    order: VecDeque<u64>,
}

impl Resent {
    /// Takes a payload in. Of one that is sent again: the SSRC and the sequence number that it had, and what was sent.
    pub fn take<'p>(
        &mut self,
        way: Way,
        ssrc: u32,
        sequence: u16,
        payload: &'p [u8],
    ) -> Option<(u32, u16, &'p [u8])> {
        if let Some((number, rest)) = payload.split_first_chunk::<2>() {
            let number = u16::from_be_bytes(*number);
            let origin =
                self.known.get(&self.hashes.hash_one((way, number, rest))).filter(|_| !rest.is_empty());
            if let Some(origin) = origin.filter(|origin| **origin != ssrc) {
                return Some((*origin, number, rest));
            }
        }
        let hash = self.hashes.hash_one((way, sequence, payload));
        if self.known.insert(hash, ssrc).is_none() {
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

/// Streams that do nothing but send again, and where each stream stands in the audit.
#[derive(Debug, Default)]
pub struct Again {
    places: HashMap<(Way, u32), usize>,
    origins: Vec<(usize, (Way, u32))>,
}

impl Again {
    /// Takes note of the stream that comes at `place`.
    pub fn place(&mut self, stream: &Stream, opened: &Opened, place: usize) {
        self.places.insert((stream.way, stream.ssrc), place);
        self.origins.extend(opened.sends_again.map(|origin| (place, (stream.way, origin))));
    }

    /// Who can read a stream can read what sends it again, also where that is too little to be judged by itself.
    pub fn adopt(&self, streams: &mut [AuditStream]) {
        for (place, origin) in &self.origins {
            let origin = self.places.get(origin).and_then(|at| streams.get(*at));
            let Some((protection, codec, ssrc)) =
                origin.map(|origin| (origin.protection, origin.codec.clone(), origin.ssrc.clone()))
            else {
                continue;
            };
            let unknown = |stream: &&mut AuditStream| {
                matches!(stream.protection, Protection::EncryptedUndetermined | Protection::Insufficient)
            };
            if let Some(stream) = streams.get_mut(*place).filter(unknown) {
                stream.protection = protection;
                stream.codec = stream.codec.take().or(codec);
                stream.why = format!("beside padding it holds nothing but packets of {ssrc}, sent again");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(port: u16) -> Way {
        let source = std::net::SocketAddr::from(([10, 0, 0, 1], port));
        Way { interface: 0, source, destination: source, through: None, behind: 0 }
    }

    #[test]
    fn only_a_payload_that_went_the_same_way_is_sent_again() {
        let mut resent = Resent::default();
        assert_eq!(resent.take(way(1), 5, 0x0102, b"frame"), None);
        assert_eq!(resent.take(way(1), 6, 9, b"\x01\x02frame"), Some((5, 0x0102, &b"frame"[..])));
        assert_eq!(resent.take(way(1), 5, 8, b"\x01\x02frame"), None, "its own stream");
        assert_eq!(resent.take(way(1), 6, 9, b"\x01\x03frame"), None, "another number");
        assert_eq!(resent.take(way(1), 6, 9, b"\x01\x02frames"), None, "another payload");
        assert_eq!(resent.take(way(2), 6, 9, b"\x01\x02frame"), None, "another way");
        assert_eq!(resent.take(way(1), 6, 7, b""), None);
    }

    #[test]
    fn what_went_by_long_ago_is_forgotten() {
        let mut resent = Resent::default();
        for n in 0..=REMEMBERED as u32 {
            assert_eq!(resent.take(way(1), 5, 1, &n.to_be_bytes()), None);
        }
        assert_eq!(resent.known.len(), REMEMBERED);
        assert_eq!(resent.take(way(1), 6, 2, b"\x00\x01\x00\x00\x00\x00"), None);
        assert!(resent.take(way(1), 6, 2, b"\x00\x01\x00\x01\x00\x00").is_some());
    }
}
