//! What a stream's packets were over time, and how its first bytes are spread: the numbers of the pictures.
//!
//! Invariant: what is kept of a stream is a few spans however long it is. Spans hold equal numbers of packets, so that
//! both readings of a capture cut a stream at the same packets.

use std::collections::BTreeMap;

use model::audit::{AuditStream, Column, Protection, Span};

use super::few;
use super::opening::Opened;
use super::payloads::Seen;
use super::statistics::at_least;
use super::stream::Stream;
use super::structure::{COLUMNS, Found};

/// Spans of a stream at most; where they are full, two become one.
const SPANS: usize = 64;
/// Streams of one protection and capture that have pictures.
const PICTURED: usize = 60;
/// Packets of a full window of columns.
const WINDOW: u64 = 64;

/// Counts packets, and says after which one a span ends.
#[derive(Clone, Debug)]
pub struct Spans<T> {
    /// Packets of a span.
    step: u32,
    /// Packets since the last span.
    since: u32,
    done: Vec<T>,
}

impl<T> Default for Spans<T> {
    fn default() -> Self {
        Self { step: 1, since: 0, done: Vec::new() }
    }
}

impl<T: Copy> Spans<T> {
    /// Takes a packet in. `span` is asked where one ends with it; `join` makes one of two.
    pub fn take(&mut self, span: impl FnOnce() -> T, join: impl Fn(T, T) -> T) {
        self.since += 1;
        if self.since < self.step {
            return;
        }
        self.since = 0;
        few::push(&mut self.done, SPANS, span());
        if self.done.len() == SPANS {
            for half in 0..SPANS / 2 {
                let joined =
                    self.done.get(2 * half).zip(self.done.get(2 * half + 1)).map(|(a, b)| join(*a, *b));
                if let (Some(joined), Some(place)) = (joined, self.done.get_mut(half)) {
                    *place = joined;
                }
            }
            self.done.truncate(SPANS / 2);
            self.step = self.step.saturating_mul(2);
        }
    }
}

/// Where a span ends: packets and tenths of a millisecond after the stream's first one.
pub type End = (u32, u32);

/// The end of a span as it is kept.
pub fn end(first: (u64, u64), at: (u64, u64)) -> End {
    let short = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    (short(at.0.saturating_sub(first.0)), short(at.1.saturating_sub(first.1) / 100_000))
}

/// Packets that keys opened, that stood in the clear among them, and that were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Opened.
    pub opened: u32,
    /// In the clear.
    pub clear: u32,
    /// Refused.
    pub refused: u32,
}

impl Kinds {
    fn and(self, other: Self) -> Self {
        Self {
            opened: self.opened.saturating_add(other.opened),
            clear: self.clear.saturating_add(other.clear),
            refused: self.refused.saturating_add(other.refused),
        }
    }
}

/// Kinds of packets by span.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    packets: u64,
    now: Kinds,
    spans: Spans<Kinds>,
}

impl Tally {
    /// Takes a packet of this kind in.
    pub fn take(&mut self, kind: Kinds) {
        self.packets += 1;
        self.now = self.now.and(kind);
        let Self { now, spans, .. } = self;
        spans.take(|| std::mem::take(now), Kinds::and);
    }
}

/// Gives streams the numbers of their pictures, until enough of one protection have them.
#[derive(Debug, Default)]
pub struct Pictures {
    told: BTreeMap<Protection, usize>,
}

impl Pictures {
    /// Gives `told`, which tells of `stream`, its numbers.
    pub fn draw(&mut self, told: &mut AuditStream, stream: &Stream, seen: &Seen, opened: &Opened) {
        let before = self.told.entry(told.protection).or_default();
        if *before < PICTURED {
            *before += 1;
            told.timeline = spans(stream, opened, told.protection == Protection::Plaintext);
            told.columns = columns(&opened.inside.as_ref().unwrap_or(seen).whole);
        }
    }
}

/// The spans of `stream`; none where times are not known, or where the two readings do not agree on its packets.
fn spans(stream: &Stream, opened: &Opened, plaintext: bool) -> Vec<Span> {
    let keyed = !opened.hop.is_empty() || !opened.frames.is_empty();
    if stream.first.1 == 0 || (keyed && opened.tally.packets != stream.packets) {
        return Vec::new();
    }
    let mut ends = stream.spans.done.clone();
    if stream.spans.since > 0 {
        ends.push(end(stream.first, stream.last));
    }
    let (mut spans, mut before): (Vec<Span>, Option<End>) = (Vec::new(), None);
    for (at, end) in ends.iter().enumerate() {
        let whole = at < stream.spans.done.len();
        let packets = u64::from(if whole { stream.spans.step } else { stream.spans.since });
        let kinds = opened.tally.spans.done.get(at).copied().unwrap_or(opened.tally.now);
        let kinds = if keyed { kinds } else { Kinds::default() };
        let number = |end: End| stream.first.0 + u64::from(end.0);
        let inside = |n: &&u64| before.is_none_or(|before| **n > number(before)) && **n <= number(*end);
        let short = stream.short.numbers.iter().filter(inside).count() as u64;
        let clear = u64::from(kinds.clear).max(short);
        let (opened, refused) = (u64::from(kinds.opened), u64::from(kinds.refused));
        let clear = if plaintext { packets } else { clear };
        let time = |end: End| stream.first.1 + u64::from(end.1) * 100_000;
        // Where clocks step back a span has no width.
        let from = before.map_or(stream.first.1, time);
        spans.push(Span {
            from_ns: from.to_string(),
            to_ns: time(*end).max(from).to_string(),
            packets,
            plaintext: clear.min(packets - opened.min(packets)),
            opened: opened.min(packets),
            refused,
        });
        before = Some(*end);
    }
    spans
}

/// How often the most frequent value of each of the first bytes stands there.
fn columns(found: &Found) -> Vec<Column> {
    let column = |(offset, (same, of)): (usize, &(u32, u32))| {
        let (same, of) = (u64::from(*same), u64::from(*of));
        let by_chance = (of / WINDOW) as f64 * expected(WINDOW) + expected(of % WINDOW);
        (of > 0).then(|| Column { offset: offset as u64, same, by_chance: by_chance.round() as u64, of })
    };
    found.columns.iter().take(COLUMNS).enumerate().filter_map(column).collect()
}

/// How often the most frequent of 256 values stands among `n` random bytes, on the average.
fn expected(n: u64) -> f64 {
    let reached = |k| 1.0 - (1.0 - at_least(n, k)).powi(256);
    (1..=n).map(reached).take_while(|chance| *chance > 1e-9).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_join_when_there_are_too_many_and_no_packet_is_lost() {
        let mut tally = Tally::default();
        for n in 0..1_000_u32 {
            tally.take(Kinds { opened: u32::from(n % 2 == 0), clear: u32::from(n == 777), refused: 0 });
        }
        let Tally { spans, now, packets } = &tally;
        assert!(spans.done.len() < SPANS && spans.done.len() >= SPANS / 2 - 1, "{}", spans.done.len());
        let all = spans.done.iter().copied().fold(*now, Kinds::and);
        assert_eq!((all.opened, all.clear, *packets), (500, 1, 1_000));
        assert_eq!(spans.done.len() as u32 * spans.step + spans.since, 1_000);
    }

    #[test]
    fn the_two_readings_cut_at_the_same_packets() {
        let (mut ends, mut tally) = (Spans::<End>::default(), Tally::default());
        for n in 0..333 {
            ends.take(|| end((1, 1), (n + 1, n)), |_, later| later);
            tally.take(Kinds::default());
        }
        assert_eq!(
            (ends.step, ends.since, ends.done.len()),
            (tally.spans.step, tally.spans.since, tally.spans.done.len())
        );
        assert_eq!(ends.done.first().map(|end| end.0), Some(ends.step - 1));
    }

    #[test]
    fn chance_is_that_of_random_bytes() {
        // Drawn 20,000 times: of 64 bytes the most frequent stands there 2.45 times, of 8 bytes 1.10 times, on the average.
        assert!((2.3..2.6).contains(&expected(64)), "{}", expected(64));
        assert!((1.0..1.2).contains(&expected(8)), "{}", expected(8));
        assert!(expected(0).abs() < 1e-12);
    }
}
