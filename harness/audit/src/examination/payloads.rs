//! What the payloads of a stream look like, with and without the headers of a frame layer.
//!
//! Invariant: packets are kept for one window and no longer.

use std::collections::BTreeMap;

use super::descriptors::{Descriptor, Explained};
use super::layer::{Bare, Layer, Sealed};
use super::sample::{Look, Sample};
use super::structure::Found;

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
    /// Made where there is structure to explain.
    explained: Vec<Explained>,
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
    /// Behind the headers of a frame layer, where most frames have one; or behind descriptors.
    pub behind: Option<Found>,
    /// Packets without the header of a frame layer that the others have.
    pub bare: Option<Bare>,
    /// The descriptors that are all the structure there is, where no header of a frame layer stands behind them.
    pub descriptor: Option<Descriptor>,
    /// How often what was seen.
    pub tallies: Tallies,
}

impl Seen {
    /// Whether a codec's bytes can be read: structure that neither headers of a frame layer nor descriptors explain.
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
        let Looked { whole, layer, explained, tallies } = *self.looked;
        if let Some(Sealed { behind, bare }) = layer.finish() {
            return Seen { whole, behind: Some(behind), bare, descriptor: None, tallies };
        }
        // What a codec is known by stands behind no descriptor of another.
        let only = explained.into_iter().find_map(Explained::finish);
        let only = only.filter(|(descriptor, _)| whole.codec.is_none_or(|codec| codec == descriptor.codec()));
        let (descriptor, behind) = only.unzip();
        Seen { whole, behind, bare: None, descriptor, tallies }
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
        let structured = looked.whole.structured;
        looked.whole.look(&window, true);
        if looked.whole.structured > structured {
            if looked.explained.is_empty() {
                looked.explained.extend([Descriptor::Vp8, Descriptor::Vp9].map(Explained::by));
            }
            let window: Vec<&Sample> = filled().collect();
            looked.explained.iter_mut().for_each(|explained| explained.look(&window));
        }
        looked.layer.look(samples);
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
