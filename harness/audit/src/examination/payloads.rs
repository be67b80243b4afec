//! What the payloads of a stream look like, with and without the headers of a frame layer.
//!
//! Invariant: packets are kept for one window and no longer.

use super::counts::Counts;
use super::descriptors::{Descriptor, Explained};
use super::layer::{Bare, Layer, Sealed};
use super::sample::{Look, Sample};
use super::structure::Found;

/// Packets of a window.
const WINDOW: usize = 64;
/// Places of a window that are made at first.
const FEW: usize = 8;

/// Payloads so far.
#[derive(Debug, Default)]
pub struct Payloads {
    /// Places for samples. They are filled before they are used, so that the next one can be brought near.
    samples: Box<[Place]>,
    /// How many of them hold a sample of this window.
    held: usize,
    /// Apart, because most packets do no more than add a sample.
    looked: Box<Looked>,
}

/// A place for a sample: one cache line, where it might lie on two.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Place(Sample);

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
    pub payload_types: Counts<u8>,
    /// Packets by the profile of their header extension.
    pub extensions: Counts<u16>,
    /// Packets by payload length.
    pub lengths: Counts<u16>,
}

impl Tallies {
    /// The payload type of most packets.
    pub fn payload_type(&self) -> u8 {
        self.payload_types.iter().max_by_key(|(_, count)| *count).map_or(0, |(kind, _)| kind)
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
        if self.held == self.samples.len() {
            self.make_room();
        }
        if let Some(place) = self.samples.get_mut(self.held) {
            *place = Place(sample);
            self.held += 1;
        }
        if self.held == WINDOW {
            self.look();
        }
    }

    /// Makes places for a few samples, and then for a whole window.
    fn make_room(&mut self) {
        let mut samples = Vec::with_capacity(if self.samples.is_empty() { FEW } else { WINDOW });
        samples.extend_from_slice(&self.samples);
        samples.resize(samples.capacity(), Place::default());
        self.samples = samples.into();
    }

    /// Something of the place of the next sample; reading it brings the place near.
    pub fn fetch(&self) -> u64 {
        self.samples.get(self.held).map_or(0, |place| place.0.number)
    }

    /// Looks at what was gathered, so that nothing of single packets is kept.
    pub fn close(&mut self) {
        self.look();
        self.samples = Box::default();
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
        let Self { samples, held, looked } = self;
        let samples: Vec<&Sample> = samples.iter().take(*held).map(|place| &place.0).collect();
        if samples.is_empty() {
            return;
        }
        looked.tallies.payload_types.take(samples.iter().map(|sample| sample.payload_type));
        looked.tallies.lengths.take(samples.iter().map(|sample| sample.length));
        let extensions = samples.iter().map(|sample| sample.extension);
        looked.tallies.extensions.take(extensions.filter(|extension| *extension != 0));
        let filled = || samples.iter().copied().filter(|sample| sample.length > 0);
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
        looked.layer.look(&samples);
        *held = 0;
    }
}
