//! Tells bytes with structure from bytes without: columns, pooled bytes, and what codecs look like.
//!
//! Invariant: no packet is called random or structured by itself; a window of packets is, with a figure after
//! correction. What is kept of a stream does not grow with it.

use super::codec::{Codec, Codecs};
use super::sample::Sample;
use super::statistics::{POOLED_BYTES, THRESHOLD, mode, neighbours, uneven};

/// Byte offsets that are looked at as columns; those behind them are pooled.
pub const COLUMNS: usize = 12;
/// Packets below which nothing is said.
pub const ENOUGH: usize = 8;
/// Windows with structure that are listed.
const LISTED: usize = 8;
/// Signs that are asked for apart from each other: columns, pooled bytes, neighbours and codecs.
const KINDS: f64 = 4.0;

/// What was found in all windows of a stream.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Windows that were looked at.
    pub windows: u64,
    /// Windows with structure.
    pub structured: u64,
    /// Windows without, that are too small for what only all bytes together show.
    pub small: u64,
    /// Packets that were looked at.
    pub packets: u64,
    /// Bytes of them, without what may be a tag.
    pub bytes: u64,
    /// The smallest probability of any window by chance, before correction for the number of windows.
    pub least: Option<Least>,
    /// First and last packet of the first windows with structure.
    pub where_structured: Vec<(u64, u64)>,
    /// The codec whose structure the first such window has.
    pub codec: Option<Codec>,
    /// By offset: packets with the most frequent value of their window, and packets that have a byte there.
    pub columns: [(u32, u32); COLUMNS],
}

/// The strongest sign of structure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Least {
    /// How likely random bytes show it.
    pub probability: f64,
    /// What it is.
    pub sign: Sign,
}

/// A sign of structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The byte at this offset has one value too often: so many of so many packets.
    Column {
        /// Bytes behind the RTP header.
        offset: usize,
        /// Packets with the most frequent value.
        same: u64,
        /// Packets that have a byte there.
        of: u64,
    },
    /// All bytes together are spread unevenly.
    Pooled {
        /// How many bytes.
        bytes: u64,
    },
    /// Bytes next to each other are alike, as those of voice are.
    Neighbours {
        /// Pairs with the same upper four bits.
        same: u64,
        /// Pairs.
        of: u64,
    },
    /// The packets are such as a codec makes.
    Codec(Codec),
}

impl Found {
    /// The smallest probability, corrected for the windows that were looked at.
    pub fn probability(&self) -> f64 {
        self.least.map_or(1.0, |least| (least.probability * self.windows as f64).min(1.0))
    }

    /// Whether structure was found in any window.
    pub fn is_structured(&self) -> bool {
        self.probability() < THRESHOLD
    }

    /// Looks at a window of packets, of each at what stands behind its first `skip` bytes. `codecs`: ask for codecs too.
    pub fn look(&mut self, window: &[(&Sample, usize)], codecs: bool) {
        self.packets += window.len() as u64;
        self.bytes +=
            window.iter().map(|(sample, skip)| sample.counted().saturating_sub(*skip) as u64).sum::<u64>();
        let (Some((first, _)), Some((last, _))) = (window.first(), window.last()) else { return };
        if window.len() < ENOUGH {
            return;
        }
        self.windows += 1;
        let found = if codecs { Codecs::of(window) } else { None };
        let codec = found.map(|(codec, probability)| Least { probability, sign: Sign::Codec(codec) });
        let tallied = &mut self.columns;
        let columns = columns(window).into_iter().flatten().inspect(|least| {
            let Sign::Column { offset, same, of } = least.sign else { return };
            if let Some(column) = tallied.get_mut(offset) {
                *column = (column.0.saturating_add(same as u32), column.1.saturating_add(of as u32));
            }
        });
        let pooled = pooled(window);
        let few = matches!(pooled.sign, Sign::Pooled { bytes } if bytes < POOLED_BYTES);
        let signs = columns.chain([pooled]).chain(alike(window)).chain(codec);
        let Some(mut least) = signs.min_by(|a, b| a.probability.total_cmp(&b.probability)) else { return };
        least.probability = (least.probability * KINDS).min(1.0);
        if self.least.is_none_or(|before| least.probability < before.probability) {
            self.least = Some(least);
        }
        if least.probability < THRESHOLD {
            self.structured += 1;
            self.codec = self.codec.or(found.filter(|(_, p)| *p < 1e-3).map(|(codec, _)| codec));
            if self.where_structured.len() < LISTED {
                self.where_structured.push((first.number, last.number));
            }
        } else if few {
            self.small += 1;
        }
    }
}

impl Found {
    /// Takes in that the packets are such as a codec makes, and how likely random ones are.
    pub fn is_like(&mut self, codec: Codec, probability: f64) {
        self.windows = self.windows.max(1);
        if probability < THRESHOLD && self.least.is_none_or(|least| probability < least.probability) {
            self.least = Some(Least { probability, sign: Sign::Codec(codec) });
            self.codec = self.codec.or(Some(codec));
        }
    }
}

/// What of a packet is looked at.
fn bytes<'s>(&(sample, skip): &(&'s Sample, usize)) -> &'s [u8] {
    sample.known().get(skip..).unwrap_or_default()
}

/// How often each value stands at each offset; windows have far fewer packets than a byte counts. Packet by packet, so that neighbouring counts do not wait for each other.
fn columns(window: &[(&Sample, usize)]) -> [Option<Least>; COLUMNS] {
    let (mut counts, mut of) = ([[0_u8; 256]; COLUMNS], [0_u64; COLUMNS]);
    for packet in window {
        let columns = counts.iter_mut().zip(&mut of);
        for (value, (counts, of)) in bytes(packet).iter().zip(columns) {
            let count = &mut counts[usize::from(*value)];
            *count = count.saturating_add(1);
            *of += 1;
        }
    }
    let mut offset = 0;
    [(); COLUMNS].map(|()| {
        let same = counts.get(offset)?.iter().fold(0, |most, count| most.max(*count));
        let (same, of) = (u64::from(same), *of.get(offset)?);
        let sign = Sign::Column { offset, same, of };
        offset += 1;
        // What is this common has no small probability: no need to compute it.
        let common = of < ENOUGH as u64 || same <= of / 16 + 2;
        let probability = if common { 1.0 } else { (mode(of, same) * COLUMNS as f64).min(1.0) };
        (of >= ENOUGH as u64).then_some(Least { probability, sign })
    })
}

fn pooled(window: &[(&Sample, usize)]) -> Least {
    // Two histograms in turn: a value that comes twice in a row need not wait for its own count.
    let (mut even, mut odd) = ([0_u32; 256], [0_u32; 256]);
    let mut total = 0;
    for packet in window {
        let bytes = bytes(packet).get(COLUMNS..).unwrap_or_default();
        total += bytes.len() as u64;
        let (pairs, last) = bytes.as_chunks::<2>();
        for [a, b] in pairs {
            even[usize::from(*a)] += 1;
            odd[usize::from(*b)] += 1;
        }
        for a in last {
            even[usize::from(*a)] += 1;
        }
    }
    even.iter_mut().zip(odd).for_each(|(count, other)| *count += other);
    Least { probability: uneven(&even), sign: Sign::Pooled { bytes: total } }
}

/// Neighbours of whole payloads: behind the headers of a frame layer there is no such voice.
fn alike(window: &[(&Sample, usize)]) -> Option<Least> {
    let (same, of) = window.iter().filter(|(_, skip)| *skip == 0).fold((0, 0), |(same, of), (sample, _)| {
        let (alike, pairs) = sample.neighbours();
        (same + alike, of + pairs)
    });
    (of > 0).then(|| Least { probability: neighbours(of, same), sign: Sign::Neighbours { same, of } })
}

#[cfg(test)]
mod tests;
