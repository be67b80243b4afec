//! Packets of a stream that have the same index: recorded twice, replayed, or different under one keystream.
//!
//! Invariant: two packets are called equal when length and the first and last bytes are, and different only when some
//! of these bytes are. What is kept does not grow with the stream.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;

use super::listed::Listed;

/// Packets back to which an index is remembered.
const REMEMBERED: usize = 64;
/// Bytes at each end of a payload that are compared.
const COMPARED: usize = 32;
/// The longest tag, whose bytes change where only a header extension did.
const TAG: usize = 16;
/// Microseconds within which an equal packet is the same one, recorded twice.
const TWICE_US: u32 = 5_000;

/// What was seen of repeated indices.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Repeats {
    furthest: Option<i64>,
    /// By the sequence number modulo its length, so that a packet touches one place of it.
    recent: Box<[Recent]>,
    /// Equal packets within 5 ms: the capture's doing.
    pub recorded_twice: Listed,
    /// Equal packets later: sent again by somebody.
    pub replayed: Listed,
    /// Another payload under an index that was used before.
    pub reused: Listed,
    /// Packets that came so late that nothing is remembered of their index.
    pub late: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    /// Index and one, so that an empty place has none.
    index: u32,
    at_us: u32,
    hash: u64,
}

impl Repeats {
    /// Takes a packet in, with what [`hashed`] gives for its payload.
    pub fn take(&mut self, number: u64, at_ns: u64, sequence: u16, hash: u64) {
        if self.recent.is_empty() {
            self.recent = vec![Recent::default(); REMEMBERED].into();
        }
        let index = self.index(sequence);
        if self.furthest.is_some_and(|furthest| furthest - index >= REMEMBERED as i64) {
            self.late += 1;
            return;
        }
        let this =
            Recent { index: (index as u32).wrapping_add(1).max(1), at_us: (at_ns / 1_000) as u32, hash };
        let Some(place) = self.recent.get_mut(usize::from(sequence) % REMEMBERED) else { return };
        // What goes further than anything before is new whatever stood in its place.
        let further = self.furthest.is_none_or(|furthest| index > furthest);
        if !further && place.index == this.index {
            if place.hash != this.hash {
                self.reused.push(number);
            } else if this.at_us.wrapping_sub(place.at_us) <= TWICE_US {
                self.recorded_twice.push(number);
            } else {
                self.replayed.push(number);
            }
            return;
        }
        *place = this;
        self.furthest = self.furthest.max(Some(index));
    }

    /// Something of what every packet changes.
    pub fn fetch(&self) -> u64 {
        u64::from(self.furthest.is_some())
    }

    /// Something of the place of a packet.
    pub fn fetch_place(&self, sequence: u16) -> u64 {
        self.recent.get(usize::from(sequence) % REMEMBERED).map_or(0, |place| place.hash)
    }

    /// The index nearest to the furthest one that has this sequence number.
    fn index(&self, sequence: u16) -> i64 {
        let Some(furthest) = self.furthest else { return i64::from(sequence) };
        let ahead = i64::from((sequence.wrapping_sub(furthest as u16)).cast_signed());
        furthest + ahead
    }

    /// Forgets what is remembered of single packets.
    pub fn close(&mut self) {
        self.recent = Box::default();
    }
}

/// Tells payloads apart by length and by their first and last bytes without a tag; the same `hashes` for all that are
/// compared.
pub fn hashed(payload: &[u8], hashes: &RandomState) -> u64 {
    let mut hasher = hashes.build_hasher();
    hasher.write_usize(payload.len());
    let body = payload.get(..payload.len().saturating_sub(TAG)).unwrap_or_default();
    let body = if body.is_empty() { payload } else { body };
    for end in [body.get(..COMPARED.min(body.len())), body.get(body.len().saturating_sub(COMPARED)..)]
        .into_iter()
        .flatten()
    {
        let (words, rest) = end.as_chunks::<8>();
        words.iter().for_each(|word| hasher.write_u64(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            hasher.write(rest);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Sequence number, milliseconds and a byte of each packet.
    fn taken(packets: &[(u16, u64, u8)]) -> Repeats {
        let (mut repeats, hashes) = (Repeats::default(), RandomState::default());
        for (number, (sequence, ms, byte)) in (1..).zip(packets) {
            repeats.take(number, ms * 1_000_000, *sequence, hashed(&[*byte; 40], &hashes));
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
        let (mut repeats, hashes) = (Repeats::default(), RandomState::default());
        let payload = |tag: u8| [[7; 60].to_vec(), vec![tag; 16]].concat();
        repeats.take(1, 0, 5, hashed(&payload(1), &hashes));
        repeats.take(2, 90_000_000, 5, hashed(&payload(2), &hashes));
        assert_eq!((repeats.reused.total, repeats.replayed.total), (0, 1));
    }

    #[test]
    fn what_comes_too_late_is_counted() {
        let mut packets: Vec<(u16, u64, u8)> = (1..=300).map(|n| (n, u64::from(n), 1)).collect();
        packets.push((2, 400, 1));
        assert_eq!(taken(&packets).late, 1);
    }
}
