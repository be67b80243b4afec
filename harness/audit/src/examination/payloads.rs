//! What the payloads of a stream look like, with and without the headers of a frame layer.
//!
//! Invariant: packets are kept for one window and no longer.

use std::collections::BTreeMap;

use super::sample::{Look, Sample};
use super::structure::{ENOUGH, Found};
use crate::dissect::vp8;
use crate::sframe;

/// Packets of a window.
const WINDOW: usize = 64;
/// Values that are told apart in one tally.
const TOLD: usize = 256;

/// Payloads so far.
#[derive(Debug, Default)]
pub struct Payloads {
    samples: Vec<Sample>,
    /// Apart, because most packets do no more than add a sample.
    looked: Box<Looked>,
}

#[derive(Debug, Default)]
struct Looked {
    whole: Found,
    layer: Layer,
    behind: Found,
    tallies: Tallies,
}

/// How often what was seen.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    /// Packets by payload type.
    pub payload_types: BTreeMap<u8, u64>,
    /// Packets by the profile of their header extension.
    pub extensions: BTreeMap<u16, u64>,
    /// Packets by payload length.
    pub lengths: BTreeMap<u16, u64>,
}

impl Tallies {
    /// The payload type of most packets.
    pub fn payload_type(&self) -> u8 {
        self.payload_types.iter().max_by_key(|(_, count)| **count).map_or(0, |(kind, _)| *kind)
    }
}

/// What was found in payloads.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// In the payloads as they are.
    pub whole: Found,
    /// Behind the headers of a frame layer, where nearly every frame has one.
    pub behind: Option<Found>,
    /// How often what was seen.
    pub tallies: Tallies,
}

impl Seen {
    /// Whether a codec's bytes can be read: structure that no header of a frame layer explains.
    pub fn is_readable(&self) -> bool {
        self.content().is_structured()
    }

    /// What was found where the content stands.
    pub fn content(&self) -> &Found {
        self.behind.as_ref().unwrap_or(&self.whole)
    }
}

impl Payloads {
    /// Takes a packet in.
    pub fn take(&mut self, look: &Look<'_>) {
        self.keep(Sample::of(look));
    }

    /// Takes in what is kept of a packet.
    pub fn keep(&mut self, sample: Sample) {
        if self.samples.capacity() == 0 {
            self.samples.reserve_exact(WINDOW);
        }
        self.samples.push(sample);
        if self.samples.len() == WINDOW {
            self.look();
        }
    }

    /// Looks at what was gathered, so that nothing of single packets is kept.
    pub fn close(&mut self) {
        self.look();
        self.samples = Vec::new();
    }

    /// What was found in all packets.
    pub fn finish(mut self) -> Seen {
        self.look();
        let Looked { whole, layer, behind, tallies } = *self.looked;
        let behind = layer.is_there().then_some(behind);
        Seen { whole, behind, tallies }
    }

    fn look(&mut self) {
        let Self { samples, looked } = self;
        if samples.is_empty() {
            return;
        }
        tally(&mut looked.tallies.payload_types, samples.iter().map(|sample| sample.payload_type));
        tally(&mut looked.tallies.lengths, samples.iter().map(|sample| sample.length));
        let extensions = samples.iter().map(|sample| sample.extension);
        tally(&mut looked.tallies.extensions, extensions.filter(|extension| *extension != 0));
        let filled = || samples.iter().filter(|sample| sample.length > 0);
        let window: Vec<(&Sample, usize)> = filled().map(|sample| (sample, 0)).collect();
        looked.whole.look(&window, true);
        if !looked.layer.is_given_up() {
            let behind: Vec<_> =
                filled().filter_map(|sample| Some((sample, looked.layer.header(sample)?))).collect();
            looked.behind.look(&behind, false);
        }
        samples.clear();
    }
}

fn tally<K: Ord + Copy>(counts: &mut BTreeMap<K, u64>, values: impl Iterator<Item = K>) {
    let mut values: Vec<K> = values.collect();
    if !values.is_sorted() {
        values.sort_unstable();
    }
    for alike in values.chunk_by(|a, b| a == b) {
        let Some(value) = alike.first() else { continue };
        if counts.len() < TOLD || counts.contains_key(value) {
            *counts.entry(*value).or_default() += alike.len() as u64;
        }
    }
}

/// Headers of SFrame in front of what may be its ciphertext.
#[derive(Debug, Default)]
struct Layer {
    fits: u32,
    tested: u32,
    counters: BTreeMap<u64, u64>,
}

impl Layer {
    /// Bytes before the ciphertext, where there is a header that goes on or none is due.
    fn header(&mut self, sample: &Sample) -> Option<usize> {
        let payload = sample.head();
        let plain = sframe::Header::parse(payload).filter(|header| self.goes_on(header));
        let (header, skip) = match (plain, vp8::Descriptor::parse(payload)) {
            (Some(header), _) => (header, header.length),
            (None, Some(descriptor)) => {
                if !descriptor.starts_frame() {
                    return Some(descriptor.length);
                }
                let behind = payload.get(descriptor.length..).unwrap_or_default();
                self.tested += 1;
                let header = sframe::Header::parse(behind).filter(|header| self.goes_on(header))?;
                self.tested -= 1;
                (header, descriptor.length + header.length)
            }
            (None, None) => {
                self.tested += 1;
                return None;
            }
        };
        self.tested += 1;
        self.fits += 1;
        if self.counters.len() < 8 || self.counters.contains_key(&header.key_id) {
            self.counters.insert(header.key_id, header.counter);
        }
        Some(skip)
    }

    /// A counter a little above the last one of its key, or the first of a key.
    fn goes_on(&self, header: &sframe::Header) -> bool {
        match self.counters.get(&header.key_id) {
            Some(last) => header.counter > *last && header.counter - last <= 64,
            None => self.counters.len() < 4 && header.length <= 9,
        }
    }

    /// Whether headers are on nearly every frame.
    fn is_there(&self) -> bool {
        self.tested >= ENOUGH as u32 && self.fits * 100 >= self.tested * 95
    }

    fn is_given_up(&self) -> bool {
        self.tested >= 16 && self.fits * 2 < self.tested
    }
}
