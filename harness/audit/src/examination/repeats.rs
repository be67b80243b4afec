//! Packets of a stream that have the same index: recorded twice, replayed, or different under one keystream.
//!
//! Invariant: two packets are called equal when length and the first and last bytes are, and different only when some
//! of these bytes are. What is kept does not grow with the stream.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::listed::Listed;

/// Packets back to which an index is remembered.
const REMEMBERED: usize = 128;
/// Bytes at each end of a payload that are compared.
const COMPARED: usize = 32;
/// The longest tag, whose bytes change where only a header extension did.
const TAG: usize = 16;
/// Nanoseconds within which an equal packet is the same one, recorded twice.
const TWICE_NS: u64 = 5_000_000;

/// What was seen of repeated indices.
#[derive(Debug, Default)]
pub struct Repeats {
    recent: VecDeque<Recent>,
    furthest: Option<i64>,
    /// Equal packets within 5 ms: the capture's doing.
    pub recorded_twice: Listed,
    /// Equal packets later: sent again by somebody.
    pub replayed: Listed,
    /// Another payload under an index that was used before.
    pub reused: Listed,
    /// Packets that came so late that nothing is remembered of their index.
    pub late: u64,
    /// Packets that never came, as far as the indices tell.
    pub furthest_gap: u64,
}

#[derive(Debug)]
struct Recent {
    index: i64,
    at_ns: u64,
    hash: u64,
}

impl Repeats {
    /// Takes a packet in; its payload is what follows the RTP header.
    pub fn take(&mut self, number: u64, at_ns: u64, sequence: u16, payload: &[u8]) {
        let index = self.index(sequence);
        let hash = hashed(payload);
        if let Some(before) = self.recent.iter().rev().find(|recent| recent.index == index) {
            if before.hash != hash {
                self.reused.push(number);
            } else if at_ns.saturating_sub(before.at_ns) <= TWICE_NS {
                self.recorded_twice.push(number);
            } else {
                self.replayed.push(number);
            }
            return;
        }
        if self.furthest.is_some_and(|furthest| furthest - index >= REMEMBERED as i64) {
            self.late += 1;
            return;
        }
        if let Some(furthest) = self.furthest {
            self.furthest_gap += u64::try_from(index - furthest - 1).unwrap_or(0);
        }
        self.furthest = self.furthest.max(Some(index));
        self.recent.push_back(Recent { index, at_ns, hash });
        if self.recent.len() > REMEMBERED {
            self.recent.pop_front();
        }
    }

    /// The index nearest to the furthest one that has this sequence number.
    fn index(&self, sequence: u16) -> i64 {
        let Some(furthest) = self.furthest else { return i64::from(sequence) };
        let ahead = i64::from((sequence.wrapping_sub(furthest as u16)).cast_signed());
        furthest + ahead
    }

    /// Forgets what is remembered of single packets.
    pub fn close(&mut self) {
        self.recent = VecDeque::new();
    }
}

fn hashed(payload: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.len().hash(&mut hasher);
    let body = payload.get(..payload.len().saturating_sub(TAG)).unwrap_or_default();
    let body = if body.is_empty() { payload } else { body };
    body.get(..COMPARED.min(body.len())).hash(&mut hasher);
    body.get(body.len().saturating_sub(COMPARED)..).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Sequence number, milliseconds and a byte of each packet.
    fn taken(packets: &[(u16, u64, u8)]) -> Repeats {
        let mut repeats = Repeats::default();
        for (number, (sequence, ms, byte)) in (1..).zip(packets) {
            repeats.take(number, ms * 1_000_000, *sequence, &[*byte; 40]);
        }
        repeats
    }

    #[rstest]
    #[case::in_order(&[(1, 0, 1), (2, 20, 2), (3, 40, 3)], [0, 0, 0])]
    #[case::out_of_order(&[(1, 0, 1), (3, 20, 3), (2, 21, 2)], [0, 0, 0])]
    #[case::round_the_circle(&[(65_535, 0, 1), (0, 20, 2), (65_534, 21, 3)], [0, 0, 0])]
    #[case::twice_at_once(&[(1, 0, 1), (1, 1, 1)], [1, 0, 0])]
    #[case::again_later(&[(1, 0, 1), (2, 20, 2), (1, 40, 1)], [0, 1, 0])]
    #[case::another_payload(&[(1, 0, 1), (1, 1, 9)], [0, 0, 1])]
    fn a_repeated_index_is_told_from_a_new_one(
        #[case] packets: &[(u16, u64, u8)],
        #[case] expected: [u64; 3],
    ) {
        let repeats = taken(packets);
        let totals = [&repeats.recorded_twice, &repeats.replayed, &repeats.reused].map(|listed| listed.total);
        assert_eq!(totals, expected);
    }

    #[test]
    fn a_tag_that_alone_differs_makes_no_other_payload() {
        let mut repeats = Repeats::default();
        let payload = |tag: u8| [[7; 60].to_vec(), vec![tag; 16]].concat();
        repeats.take(1, 0, 5, &payload(1));
        repeats.take(2, 90_000_000, 5, &payload(2));
        assert_eq!((repeats.reused.total, repeats.replayed.total), (0, 1));
    }

    #[test]
    fn what_comes_too_late_is_counted() {
        let mut packets: Vec<(u16, u64, u8)> = (1..=300).map(|n| (n, u64::from(n), 1)).collect();
        packets.push((2, 400, 1));
        assert_eq!(taken(&packets).late, 1);
    }
}
