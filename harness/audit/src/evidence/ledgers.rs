//! The devices' ledgers, by frame and by book.
//!
//! Invariant: a frame is found by the hash of its whole content, never by its place.

use std::collections::{BTreeMap, HashMap};

use model::record::LedgerEntry;
use model::{DeviceId, Direction, Kind};

/// One device's entries of one call, kind and direction, in their order.
#[derive(Debug)]
pub struct Book {
    /// Whose.
    pub device: DeviceId,
    /// The call id in hex.
    pub call: String,
    /// The kind.
    pub kind: Kind,
    /// Sent or played.
    pub direction: Direction,
    /// SHA-256 of each frame.
    pub frames: Vec<[u8; 32]>,
    /// Length of each frame.
    pub bytes: Vec<u32>,
    /// When each was entered, on the world's clock.
    pub at_ns: Vec<u64>,
}

/// A frame that a device sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sent {
    /// Index of the book.
    pub book: usize,
    /// Number of the frame in it.
    pub frame: usize,
}

/// All ledgers of a world.
#[derive(Debug, Default)]
pub struct Ledgers {
    /// All books.
    pub books: Vec<Book>,
    /// Entries whose hash is no SHA-256 in hex, or whose numbers do not count up from 0.
    pub unreadable: usize,
    by_hash: HashMap<[u8; 32], Vec<Sent>>,
    /// Lengths of sent frames, so that most other bytes need not be hashed.
    lengths: std::collections::HashSet<u32>,
}

impl Ledgers {
    /// Sorts the entries of a record into books.
    pub fn of(entries: &[LedgerEntry]) -> Self {
        let mut ledgers = Self::default();
        let mut at: BTreeMap<(String, String, Kind, Direction), usize> = BTreeMap::new();
        for entry in entries {
            let key = (entry.call.clone(), entry.device.to_string(), entry.kind, entry.direction);
            let index = *at.entry(key).or_insert_with(|| {
                ledgers.books.push(Book {
                    device: entry.device.clone(),
                    call: entry.call.clone(),
                    kind: entry.kind,
                    direction: entry.direction,
                    frames: Vec::new(),
                    bytes: Vec::new(),
                    at_ns: Vec::new(),
                });
                ledgers.books.len() - 1
            });
            let Some(book) = ledgers.books.get_mut(index) else { continue };
            let hash = hex::decode(&entry.sha256).ok().and_then(|h| <[u8; 32]>::try_from(h).ok());
            let Some(hash) = hash.filter(|_| usize::try_from(entry.index) == Ok(book.frames.len())) else {
                ledgers.unreadable += 1;
                continue;
            };
            if entry.direction == Direction::Sent {
                let sent = Sent { book: index, frame: book.frames.len() };
                ledgers.by_hash.entry(hash).or_default().push(sent);
                ledgers.lengths.insert(entry.bytes);
            }
            book.frames.push(hash);
            book.bytes.push(entry.bytes);
            book.at_ns.push(entry.at_ns);
        }
        ledgers
    }

    /// Every sent frame with this content.
    pub fn sent(&self, hash: &[u8; 32]) -> &[Sent] {
        self.by_hash.get(hash).map_or(&[], Vec::as_slice)
    }

    /// Whether some sent frame has this length.
    pub fn has_length(&self, bytes: usize) -> bool {
        u32::try_from(bytes).is_ok_and(|bytes| self.lengths.contains(&bytes))
    }

    /// The books of one call and direction.
    pub fn of_call<'a>(
        &'a self,
        call: &'a str,
        direction: Direction,
    ) -> impl Iterator<Item = (usize, &'a Book)> {
        let wanted = move |(_, book): &(usize, &Book)| book.call == call && book.direction == direction;
        self.books.iter().enumerate().filter(wanted)
    }
}

#[cfg(test)]
mod tests {
    use model::UserId;

    use super::*;

    fn entry(index: u32, sha256: &str) -> LedgerEntry {
        LedgerEntry {
            device: DeviceId::only(UserId::new("alice", "contoso.example")),
            call: "c4".to_owned(),
            direction: Direction::Sent,
            kind: Kind::Audio,
            index,
            bytes: 7,
            sha256: sha256.to_owned(),
            at_ns: 0,
        }
    }

    #[test]
    fn a_frame_is_found_by_its_hash_wherever_it_stands() {
        let hash = "ab".repeat(32);
        let ledgers = Ledgers::of(&[entry(0, &hash), entry(1, &"cd".repeat(32)), entry(2, &hash)]);
        let sent = |frame| Sent { book: 0, frame };
        assert_eq!(ledgers.sent(&[0xAB; 32]), [sent(0), sent(2)]);
        assert!(ledgers.sent(&[0xEE; 32]).is_empty());
        assert!(ledgers.has_length(7) && !ledgers.has_length(8));
    }

    #[test]
    fn an_entry_without_a_hash_or_out_of_count_is_told() {
        let ledgers =
            Ledgers::of(&[entry(0, "no hash"), entry(1, &"ab".repeat(32)), entry(0, &"ab".repeat(32))]);
        assert_eq!((ledgers.unreadable, ledgers.books[0].frames.len()), (2, 1));
    }
}
