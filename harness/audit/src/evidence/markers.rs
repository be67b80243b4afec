//! Markers of canary frames (design, section 1.7), recomputed, and where they stand in other bytes.
//!
//! Invariant: a marker is worked out from the call alone; no ledger says what it is.

use std::collections::HashMap;

use model::record::CallRecord;
use model::{Direction, Kind, Role};
use sha2::{Digest, Sha256};

use super::ledgers::Ledgers;

/// Every tenth frame of a sender and a kind is a canary.
const EVERY: usize = 10;

/// A marker and whose frame it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The call id in hex.
    pub call: String,
    /// Who sent the frame.
    pub sender: Role,
    /// The kind of the frame.
    pub kind: Kind,
    /// The number of the frame.
    pub number: usize,
    /// The marker.
    pub bytes: [u8; 32],
}

/// Every marker that the ledgers of a world let expect.
#[derive(Debug, Default)]
pub struct Markers {
    /// All of them.
    pub all: Vec<Marker>,
    by_start: HashMap<[u8; 8], Vec<usize>>,
    /// One bit for each pair of first bytes, so that most places are passed over.
    starts: Vec<u64>,
}

impl Markers {
    /// Works out the markers of `calls`, as many as the senders' ledgers have canaries.
    pub fn of(calls: &[CallRecord], ledgers: &Ledgers) -> Self {
        let mut markers = Self { starts: vec![0; 1 << 10], ..Self::default() };
        for call in calls {
            let Some(id) = hex::decode(&call.call).ok().and_then(|id| <[u8; 16]>::try_from(id).ok()) else {
                continue;
            };
            for (_, book) in ledgers.of_call(&call.call, Direction::Sent) {
                let sender = if book.device == call.caller { Role::Caller } else { Role::Callee };
                for number in (0..book.frames.len()).step_by(EVERY) {
                    let bytes = marker(&id, sender, book.kind, u32::try_from(number).unwrap_or(u32::MAX));
                    let call = call.call.clone();
                    markers.add(Marker { call, sender, kind: book.kind, number, bytes });
                }
            }
        }
        markers
    }

    fn add(&mut self, marker: Marker) {
        if self.all.iter().rev().take(1).any(|last| last.bytes == marker.bytes) {
            return;
        }
        let [a, b, ..] = marker.bytes;
        let start = usize::from(u16::from_be_bytes([a, b]));
        if let Some(word) = self.starts.get_mut(start / 64) {
            *word |= 1 << (start % 64);
        }
        if let Some(start) = marker.bytes.first_chunk::<8>() {
            self.by_start.entry(*start).or_default().push(self.all.len());
        }
        self.all.push(marker);
    }

    /// The markers that stand anywhere in `bytes`, the first 8 bytes of one being enough.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        for window in bytes.windows(8) {
            let Ok(window) = <[u8; 8]>::try_from(window) else { continue };
            let start = usize::from(u16::from_be_bytes([window[0], window[1]]));
            if self.starts.get(start / 64).is_some_and(|word| word >> (start % 64) & 1 == 1)
                && let Some(markers) = self.by_start.get(&window)
            {
                found.extend_from_slice(markers);
            }
        }
        found
    }
}

/// `SHA-256("overheard/1 canary", call id, sender, kind, n)`, each item behind its length in two bytes.
fn marker(call: &[u8; 16], sender: Role, kind: Kind, number: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    let number = number.to_be_bytes();
    let items = [&b"overheard/1 canary"[..], call, sender.word().as_bytes(), kind.word().as_bytes(), &number];
    for item in items {
        hash.update(u16::try_from(item.len()).unwrap_or(u16::MAX).to_be_bytes());
        hash.update(item);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use model::record::LedgerEntry;
    use model::{DeviceId, UserId};

    use super::*;

    fn markers() -> Markers {
        let alice = DeviceId::only(UserId::new("alice", "contoso.example"));
        let call = hex::encode([4; 16]);
        let entry = |index| LedgerEntry {
            device: alice.clone(),
            call: call.clone(),
            direction: Direction::Sent,
            kind: Kind::Video,
            index,
            bytes: 1,
            sha256: "ab".repeat(32),
            at_ns: 0,
        };
        let ledgers = Ledgers::of(&(0..21).map(entry).collect::<Vec<_>>());
        let record = CallRecord {
            name: "call".to_owned(),
            call,
            caller: alice,
            callee: None,
            placed_ns: 0,
            connected_ns: None,
            ended_ns: None,
        };
        Markers::of(&[record], &ledgers)
    }

    #[test]
    fn every_tenth_frame_has_a_marker_that_is_found_wherever_it_stands() {
        let markers = markers();
        let numbers: Vec<usize> = markers.all.iter().map(|marker| marker.number).collect();
        assert_eq!(numbers, [0, 10, 20]);
        let bytes = [&[1, 2, 3], &markers.all[1].bytes[..], &[9]].concat();
        assert_eq!(markers.found_in(&bytes), [1]);
    }

    #[test]
    fn a_marker_is_the_one_of_the_design() {
        let by_hand = crate::bench::canary(&[4; 16], "caller", "video", 20);
        assert_eq!(markers().all[2].bytes, by_hand);
    }

    #[test]
    fn less_than_eight_bytes_of_a_marker_are_nothing() {
        let markers = markers();
        assert!(markers.found_in(&markers.all[0].bytes[..7]).is_empty());
        assert!(markers.found_in(&[0; 500]).is_empty());
    }
}
