//! The devices' ledgers, by frame and by book.
//!
//! Invariant: a frame is found by the hash of its whole content, never by its place.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

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

/// Where one content stands in one book.
#[derive(Debug)]
pub struct Places {
    /// Index of the book.
    pub book: usize,
    /// Numbers of the frames in it, counting up.
    pub frames: Vec<usize>,
    /// When they were entered, on the world's clock, the earliest first.
    at_ns: Vec<u64>,
}

impl Places {
    /// How many of them were entered in this span, both ends included.
    pub fn entered(&self, span: RangeInclusive<u64>) -> usize {
        let before = self.at_ns.partition_point(|at| at < span.start());
        self.at_ns.partition_point(|at| at <= span.end()).saturating_sub(before)
    }

    /// The number nearest to `estimate`, the lower of two.
    pub fn nearest(&self, estimate: i64) -> Option<usize> {
        let number = |frame: usize| i64::try_from(frame).unwrap_or(i64::MAX);
        let after = self.frames.partition_point(|frame| number(*frame) < estimate);
        let around = [after.checked_sub(1), Some(after)].into_iter().flatten();
        let around = around.filter_map(|at| self.frames.get(at).copied());
        around.min_by_key(|frame| number(*frame).abs_diff(estimate))
    }
}

/// All ledgers of a world.
#[derive(Debug, Default)]
pub struct Ledgers {
    /// All books.
    pub books: Vec<Book>,
    /// Entries whose hash is no SHA-256 in hex, or whose numbers do not count up from 0.
    pub unreadable: usize,
    by_hash: HashMap<[u8; 32], Vec<Places>>,
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
                let places = ledgers.by_hash.entry(hash).or_default();
                let known = places.iter().position(|places| places.book == index).unwrap_or_else(|| {
                    places.push(Places { book: index, frames: Vec::new(), at_ns: Vec::new() });
                    places.len() - 1
                });
                if let Some(places) = places.get_mut(known) {
                    places.frames.push(book.frames.len());
                    let before = places.at_ns.partition_point(|at| *at <= entry.at_ns);
                    places.at_ns.insert(before, entry.at_ns);
                }
                ledgers.lengths.insert(entry.bytes);
            }
            book.frames.push(hash);
            book.bytes.push(entry.bytes);
            book.at_ns.push(entry.at_ns);
        }
        ledgers
    }

    /// Where the sent frames with this content stand, one item per book.
    pub fn sent(&self, hash: &[u8; 32]) -> &[Places] {
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
    use rstest::rstest;

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
        let places = ledgers.sent(&[0xAB; 32]);
        assert_eq!(
            places.iter().map(|p| (p.book, p.frames.as_slice())).collect::<Vec<_>>(),
            [(0, &[0, 2][..])]
        );
        assert!(ledgers.sent(&[0xEE; 32]).is_empty());
        assert!(ledgers.has_length(7) && !ledgers.has_length(8));
    }

    fn places(frames: &[usize], at_ns: &[u64]) -> Places {
        Places { book: 0, frames: frames.to_vec(), at_ns: at_ns.to_vec() }
    }

    #[rstest]
    #[case::before_all(-5, Some(2))]
    #[case::on_one(7, Some(7))]
    #[case::the_lower_of_two_as_near(5, Some(3))]
    #[case::nearer_above(6, Some(7))]
    #[case::after_all(i64::MAX, Some(20))]
    fn the_nearest_number_is_found(#[case] estimate: i64, #[case] nearest: Option<usize>) {
        assert_eq!(places(&[2, 3, 7, 20], &[]).nearest(estimate), nearest);
    }

    #[test]
    fn a_content_that_stands_nowhere_has_no_nearest_number() {
        assert_eq!(places(&[], &[]).nearest(3), None);
    }

    #[rstest]
    #[case::none(0..=9, 0)]
    #[case::ends_count(10..=20, 3)]
    #[case::all(0..=u64::MAX, 4)]
    #[case::after(31..=40, 0)]
    fn entries_are_counted_by_time(#[case] span: RangeInclusive<u64>, #[case] count: usize) {
        assert_eq!(places(&[], &[10, 20, 20, 30]).entered(span), count);
    }

    #[test]
    fn entries_out_of_order_of_time_are_counted_all_the_same() {
        let at = |index, at_ns| LedgerEntry { at_ns, ..entry(index, &"ab".repeat(32)) };
        let ledgers = Ledgers::of(&[at(0, 9), at(1, 3), at(2, 6)]);
        assert_eq!(ledgers.sent(&[0xAB; 32])[0].entered(4..=9), 2);
    }

    #[test]
    fn an_entry_without_a_hash_or_out_of_count_is_told() {
        let ledgers =
            Ledgers::of(&[entry(0, "no hash"), entry(1, &"ab".repeat(32)), entry(0, &"ab".repeat(32))]);
        assert_eq!((ledgers.unreadable, ledgers.books[0].frames.len()), (2, 1));
    }
}
