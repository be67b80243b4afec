//! Two streams under one keystream: what both senders said shows in the exclusive or of their ciphertexts.
//!
//! Invariant: only streams with the same SSRC are compared, because the keystream of SRTP depends on it (RFC 3711 §4.1.1,
//! RFC 7714 §8.1); the same packet at two places is no second ciphertext.

use std::collections::{BTreeMap, HashMap};

use super::few::{self, Short};
use super::listed::Listed;
use super::statistics::{THRESHOLD, at_least};

/// Packets at the start of a stream that are compared.
const KEPT: usize = 64;
/// First bytes of each that are compared.
const BYTES: usize = 8;
/// Packets below which nothing is said.
const ENOUGH: usize = 8;
/// Streams with one SSRC that are compared with each other.
const ALIKE: usize = 16;

/// How a payload begins.
pub type Beginning = [u8; BYTES];

/// How a stream begins: number, sequence number and first payload bytes of its first packets, in 16 bytes each.
#[derive(Clone, Debug, Default)]
pub struct Start(Vec<(Short, u16, Beginning)>);

impl Start {
    /// Takes a packet in.
    pub fn take(&mut self, number: u64, sequence: u16, beginning: Option<Beginning>) {
        if self.0.len() < KEPT
            && let Some(bytes) = beginning
        {
            few::push(&mut self.0, KEPT, (Short::of(number), sequence, bytes));
        }
    }

    /// Number and first byte of the first packets.
    pub fn heads(&self) -> impl Iterator<Item = (u64, u8)> {
        self.0.iter().map(|(number, _, [first, ..])| (number.get(), *first))
    }
}

/// Another stream under the keystream of this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// Index of the other stream.
    pub with: usize,
    /// The packets of both that have one index and begin alike under the cipher.
    pub packets: Listed,
    /// How likely independent keystreams look like this.
    pub probability: f64,
}

/// For each stream that shares a keystream with an earlier one: its index, and with which.
pub fn shared<'s>(streams: impl Iterator<Item = (u32, &'s Start)>) -> BTreeMap<usize, Shared> {
    let streams: Vec<(u32, &Start)> = streams.collect();
    let mut alike: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, (ssrc, _)) in streams.iter().enumerate() {
        alike.entry(*ssrc).or_default().push(index);
    }
    let looks = streams.len().max(1) as f64;
    let mut found = BTreeMap::new();
    for group in alike.values() {
        for (rank, later) in group.iter().enumerate().take(ALIKE) {
            for earlier in group.iter().take(rank) {
                let (Some((_, a)), Some((_, b))) = (streams.get(*earlier), streams.get(*later)) else {
                    continue;
                };
                let shared = compared(a, b).filter(|shared| shared.probability * looks < THRESHOLD);
                if let Some(shared) = shared {
                    found.entry(*later).or_insert(Shared { with: *earlier, ..shared });
                }
            }
        }
    }
    found
}

fn compared(a: &Start, b: &Start) -> Option<Shared> {
    let by_sequence: HashMap<u16, &(Short, u16, Beginning)> =
        a.0.iter().map(|packet| (packet.1, packet)).collect();
    let pairs: Vec<_> =
        b.0.iter().filter_map(|packet| Some((*by_sequence.get(&packet.1)?, packet))).collect();
    // The same bytes are the same packet, seen or sent on somewhere else.
    let different: Vec<_> = pairs.iter().filter(|(a, b)| a.2 != b.2).collect();
    if different.len() < ENOUGH || different.len() * 2 < pairs.len() {
        return None;
    }
    let columns = (0..BYTES).map(|at| {
        let same = different.iter().filter(|(a, b)| a.2.get(at) == b.2.get(at)).count();
        at_least(different.len() as u64, same as u64) * BYTES as f64
    });
    let probability = columns.min_by(f64::total_cmp)?;
    let mut packets: Vec<u64> = different.iter().flat_map(|(a, b)| [a.0.get(), b.0.get()]).collect();
    packets.sort_unstable();
    Some(Shared { with: 0, packets: packets.into_iter().collect(), probability })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    /// The start of a stream whose payloads are Opus under the keystream of `key`.
    fn start(key: u8, talk: u8, first: u64) -> Start {
        let mut start = Start::default();
        for n in 0..20_u8 {
            let stream = Sha256::digest([key, n]);
            let said = Sha256::digest([talk, n, 9]);
            let clear = [&[0x78], &said[..20]].concat();
            let sealed: Vec<u8> = clear.iter().zip(&stream).map(|(a, b)| a ^ b).collect();
            start.take(first + u64::from(n), u16::from(n), sealed.first_chunk().copied());
        }
        start
    }

    #[test]
    fn two_talks_under_one_keystream_are_found() {
        let (a, b) = (start(1, 1, 100), start(1, 2, 200));
        let found = shared([(7, &a), (7, &b)].into_iter());
        assert_eq!(found.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!((found[&1].with, found[&1].packets.total), (0, 40));
    }

    #[test]
    fn other_keys_other_sources_and_the_same_packets_share_nothing() {
        let (a, b) = (start(1, 1, 100), start(2, 2, 200));
        assert!(shared([(7, &a), (7, &b)].into_iter()).is_empty(), "two keys");
        assert!(shared([(7, &a), (7, &start(1, 1, 300))].into_iter()).is_empty(), "the same packets");
        assert!(shared([(7, &a), (8, &start(1, 2, 300))].into_iter()).is_empty(), "two sources");
    }
}
