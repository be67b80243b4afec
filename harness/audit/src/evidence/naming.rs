//! Finds out which frame of which ledger a frame on the wire is.
//!
//! Invariant: a name rests on the content; where several ledgers have the same content, on who sent the stream, on the
//! RTP time stamp at the sender's own tap, and on the time, in that order.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::frames::{Frame, Packing};
use super::ledgers::{Ledgers, Places, Sent};

/// How long a frame may be on its way, in nanoseconds, before another frame with the same content is likelier.
const UNDER_WAY_NS: u64 = 2_000_000_000;

/// A client made by others tells of a frame once it has sent it, so that its ledger may be so much later than its tap.
const TOLD_LATE_NS: u64 = 250_000_000;

/// RTP ticks from one frame to the next: Opus of 20 ms at 48 kHz, video of 30 frames a second at 90 kHz.
const fn ticks(packing: Packing) -> i64 {
    match packing {
        Packing::One => 960,
        Packing::Vp8 => 3_000,
    }
}

/// Gives names. The clip repeats, and every device sends the same one, so most contents stand in several places.
pub struct Naming<'a> {
    ledgers: &'a Ledgers,
    epoch_ns: u64,
    stamped: HashSet<Sent>,
    by_stamp: HashMap<u32, Vec<Sent>>,
}

impl<'a> Naming<'a> {
    /// Names by `ledgers`, whose clock started at `epoch_ns`.
    pub fn new(ledgers: &'a Ledgers, epoch_ns: u64) -> Self {
        Self { ledgers, epoch_ns, stamped: HashSet::new(), by_stamp: HashMap::new() }
    }

    /// Names the frames of a stream that `device` sent, and keeps their time stamps for the streams of nodes that
    /// send them on. What another device sent is named all the same.
    pub fn sent_by(&mut self, device: &str, frames: &mut [Frame], packing: Packing) {
        self.name(frames, packing, Some(device));
        for frame in frames.iter() {
            if let Some(sent) = frame.sent.filter(|sent| self.stamped.insert(*sent)) {
                self.by_stamp.entry(frame.timestamp).or_default().push(sent);
            }
        }
    }

    /// Names the frames of a stream that a node sent on.
    pub fn sent_on(&self, frames: &mut [Frame], packing: Packing) {
        self.name(frames, packing, None);
    }

    fn name(&self, frames: &mut [Frame], packing: Packing, device: Option<&str>) {
        let hash = |frame: &Frame| frame.content.as_ref().map(|content| Sha256::digest(content).into());
        let hashes: Vec<Option<[u8; 32]>> = frames.iter().map(hash).collect();
        let Some(book) = self.book_of(frames, &hashes, device) else { return };
        let places = |hash: &[u8; 32]| self.ledgers.sent(hash).iter().find(|places| places.book == book);
        let places: Vec<Option<&Places>> = hashes.iter().map(|hash| places(hash.as_ref()?)).collect();
        let anchor = |(at, (frame, places)): (usize, (&Frame, &Option<&Places>))| match (*places)?.frames[..]
        {
            [only] => Some((at, frame.timestamp, only)),
            _ => None,
        };
        let anchors: Vec<(usize, u32, usize)> =
            frames.iter().zip(&places).enumerate().filter_map(anchor).collect();
        for (at, (frame, places)) in frames.iter_mut().zip(&places).enumerate() {
            let Some(places) = places else { continue };
            let after = anchors.partition_point(|(anchor, _, _)| *anchor < at);
            let around = [after.checked_sub(1), Some(after)].into_iter().flatten();
            let nearest =
                around.filter_map(|i| anchors.get(i)).min_by_key(|(anchor, _, _)| anchor.abs_diff(at));
            let estimate = nearest.map_or(i64::try_from(at).unwrap_or(0), |(_, timestamp, number)| {
                let ahead = i64::from(frame.timestamp.wrapping_sub(*timestamp).cast_signed());
                i64::try_from(*number).unwrap_or(0) + ahead.div_euclid(ticks(packing))
            });
            frame.sent = places.nearest(estimate).map(|number| Sent { book, frame: number });
        }
    }

    /// The book that knows most of the frames; what tells books apart counts before how many they know.
    fn book_of(&self, frames: &[Frame], hashes: &[Option<[u8; 32]>], device: Option<&str>) -> Option<usize> {
        let mut votes: HashMap<usize, Votes> = HashMap::new();
        for (frame, hash) in frames.iter().zip(hashes) {
            let Some(hash) = hash else { continue };
            let now = frame.at_ns.checked_sub(self.epoch_ns);
            for places in self.ledgers.sent(hash) {
                let votes = votes.entry(places.book).or_default();
                votes.timely += now.map_or(0, |now| {
                    let from = now.saturating_sub(UNDER_WAY_NS);
                    places.entered(from..=now.saturating_add(TOLD_LATE_NS))
                });
                votes.known += 1;
            }
            for sent in self.by_stamp.get(&frame.timestamp).into_iter().flatten() {
                let book = self.ledgers.books.get(sent.book);
                if book.and_then(|book| book.frames.get(sent.frame)) == Some(hash) {
                    votes.entry(sent.book).or_default().stamped += 1;
                }
            }
        }
        for (book, votes) in &mut votes {
            let book = self.ledgers.books.get(*book);
            votes.own = device.zip(book).is_some_and(|(device, book)| book.device.to_string() == device);
        }
        votes.into_iter().max_by_key(|(book, votes)| (*votes, usize::MAX - book)).map(|(book, _)| book)
    }
}

/// What speaks for a book, the strongest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Votes {
    own: bool,
    stamped: usize,
    timely: usize,
    known: usize,
}

#[cfg(test)]
mod tests {
    use model::record::LedgerEntry;
    use model::{DeviceId, Direction, Kind, UserId};

    use super::*;
    use crate::evidence::{Ears, Inside};

    fn content(n: usize) -> Vec<u8> {
        vec![u8::try_from(n % 20).expect("small"); 9]
    }

    /// Alice and bob send the same clip of 20 frames at the same time.
    fn ledgers(frames: usize) -> Ledgers {
        let entries = ["alice", "bob"].into_iter().flat_map(|name| {
            (0..frames).map(move |n| LedgerEntry {
                device: DeviceId::only(UserId::new(name, "contoso.example")),
                call: "c4".to_owned(),
                direction: Direction::Sent,
                kind: Kind::Audio,
                index: u32::try_from(n).expect("small"),
                bytes: 9,
                sha256: hex::encode(Sha256::digest(content(n))),
                at_ns: 20_000_000 * n as u64,
            })
        });
        Ledgers::of(&entries.collect::<Vec<_>>())
    }

    fn frames(numbers: &[usize], first_stamp: u32) -> Vec<Frame> {
        let frame = |n: &usize| Frame {
            packets: vec![0],
            at_ns: 20_000_000 * *n as u64 + 12_000_000,
            timestamp: first_stamp + 960 * u32::try_from(*n).expect("small"),
            hop: Ears::ALL,
            ears: Ears::ALL,
            inside: Inside::Plain,
            digest: Sha256::digest(content(*n)).into(),
            payload: content(*n),
            content: Some(content(*n)),
            sent: None,
        };
        numbers.iter().map(frame).collect()
    }

    fn names(frames: &[Frame]) -> Vec<(usize, usize)> {
        frames.iter().filter_map(|frame| frame.sent).map(|sent| (sent.book, sent.frame)).collect()
    }

    #[test]
    fn who_sent_a_stream_tells_two_ledgers_apart() {
        let ledgers = ledgers(20);
        let mut naming = Naming::new(&ledgers, 0);
        let mut of_bob = frames(&[0, 1, 2], 5_000);
        naming.sent_by("bob@contoso.example", &mut of_bob, Packing::One);
        assert_eq!(names(&of_bob), [(1, 0), (1, 1), (1, 2)]);
    }

    #[test]
    fn time_stamps_tell_streams_apart_that_a_node_sends_on() {
        let ledgers = ledgers(20);
        let mut naming = Naming::new(&ledgers, 0);
        naming.sent_by("alice@contoso.example", &mut frames(&[0, 1, 2, 3], 0), Packing::One);
        naming.sent_by("bob@contoso.example", &mut frames(&[0, 1, 2, 3], 5_000), Packing::One);
        let mut sent_on = frames(&[1, 3], 5_000);
        naming.sent_on(&mut sent_on, Packing::One);
        assert_eq!(names(&sent_on), [(1, 1), (1, 3)]);
    }

    #[test]
    fn a_clip_that_repeats_is_counted_on() {
        let ledgers = ledgers(60);
        let mut naming = Naming::new(&ledgers, 0);
        let mut all = frames(&(0..60).collect::<Vec<_>>(), 0);
        naming.sent_by("alice@contoso.example", &mut all, Packing::One);
        assert_eq!(names(&all), (0..60).map(|n| (0, n)).collect::<Vec<_>>());
    }

    #[test]
    fn what_no_ledger_has_is_not_named() {
        let ledgers = ledgers(5);
        let mut unknown = frames(&[9, 10], 0);
        Naming::new(&ledgers, 0).sent_on(&mut unknown, Packing::One);
        assert_eq!(names(&unknown), []);
    }
}
