//! Payload descriptors of video, which forwarders need in the clear: what of a stream is only theirs, and what is shown
//! behind them.
//!
//! Invariant: a descriptor is no media. Whether media can be read is said by what stands behind it.

use super::codec::Codec;
use super::codec::pairs::{vp8_follows, vp9_follows};
use super::sample::Sample;
use super::statistics::THRESHOLD;
use super::structure::{ENOUGH, Found};
use crate::dissect::{vp8, vp9};

/// Frames whose starts are looked at together.
const TOGETHER: usize = 64;

/// A descriptor that stands in front of each packet's part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// RFC 7741 §4.2.
    Vp8,
    /// RFC 9628 §4.2.
    Vp9,
}

impl Descriptor {
    /// Length of the descriptor and whether a frame starts behind it; none where the payload has none.
    pub fn read(self, payload: &[u8]) -> Option<(usize, bool)> {
        match self {
            Self::Vp8 => vp8::Descriptor::parse(payload)
                .filter(|read| read.sound)
                .map(|read| (read.length, read.starts_frame())),
            Self::Vp9 => vp9::Descriptor::parse(payload).map(|read| (read.length, read.start)),
        }
    }

    /// The codec that it belongs to.
    pub fn codec(self) -> Codec {
        match self {
            Self::Vp8 => Codec::Vp8,
            Self::Vp9 => Codec::Vp9,
        }
    }

    /// By what chance random bytes follow the packet before as a descriptor does; none where these do not.
    fn follows(self, before: &Sample, this: &Sample) -> Option<f64> {
        match self {
            Self::Vp8 => vp8_follows(before, this),
            Self::Vp9 => vp9_follows(before, this).map(|(_, chance)| chance),
        }
    }
}

/// How frames begin behind descriptors.
#[derive(Clone, Debug)]
pub struct Starts {
    descriptor: Descriptor,
    kept: Vec<(Sample, usize)>,
    found: Found,
    /// What is the same at every start of this codec: the version or profile of the first.
    kind: Option<u8>,
    tested: u32,
    fits: u32,
    /// Natural logarithm of the probability that random bytes fit as often.
    chance: f64,
}

impl Starts {
    /// Before the first frame.
    pub fn of(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            kept: Vec::new(),
            found: Found::default(),
            kind: None,
            tested: 0,
            fits: 0,
            chance: 0.0,
        }
    }

    /// Takes in the start of a frame, which stands behind the first `skip` bytes of a payload.
    pub fn take(&mut self, sample: &Sample, skip: usize) {
        self.tested += 1;
        let frame = sample.head().get(skip..).unwrap_or_default();
        // A start code of three bytes; else one bit or two of a kind, and three that stay as they are.
        let (kind, chance) = match self.descriptor {
            Descriptor::Vp8 => match vp8::FrameStart::parse(frame) {
                Some(start) if start.key => (Some(start.version), 1.0 / f64::from(1 << 24)),
                Some(start) => (Some(start.version), 0.5),
                None => (None, 1.0),
            },
            // The marker, and the profile behind it (VP9 bitstream §6.2).
            Descriptor::Vp9 => (frame.first().filter(|byte| **byte >> 6 == 2).map(|b| b >> 4 & 3), 0.25),
        };
        if kind.is_some() && self.kind.is_none_or(|known| kind == Some(known)) {
            self.fits += 1;
            // The first may be of any kind: half of those of VP8 are none.
            self.chance += chance.ln() + if self.kind.is_none() { 0.0 } else { 0.25_f64.ln() };
            self.kind = kind;
        }
        self.kept.push((*sample, skip));
        if self.kept.len() == TOGETHER {
            self.look();
        }
    }

    fn look(&mut self) {
        let kept: Vec<(&Sample, usize)> = self.kept.iter().map(|(sample, skip)| (sample, *skip)).collect();
        self.found.look(&kept, false);
        self.kept.clear();
    }

    /// What was found: structure of the bytes at the starts, or starts such as the codec has.
    pub fn finish(mut self) -> Found {
        if !self.kept.is_empty() {
            self.look();
        }
        if self.fits * 100 >= self.tested * 95 {
            let misses = f64::from(self.tested - self.fits);
            let chance = (self.chance + misses * f64::from(self.tested.max(1)).ln()).exp();
            self.found.is_like(self.descriptor.codec(), chance);
        }
        self.found
    }
}

/// What descriptors explain of a stream: asked only where there is structure to explain.
#[derive(Clone, Debug)]
pub struct Explained {
    descriptor: Descriptor,
    starts: Starts,
    behind: Found,
    before: Option<Sample>,
    tested: u32,
    fits: u32,
    chance: f64,
}

impl Explained {
    /// By this descriptor, before the first packet.
    pub fn by(descriptor: Descriptor) -> Self {
        Self {
            descriptor,
            starts: Starts::of(descriptor),
            behind: Found::default(),
            before: None,
            tested: 0,
            fits: 0,
            chance: 0.0,
        }
    }

    /// Looks at the packets of a window.
    pub fn look(&mut self, window: &[&Sample]) {
        if self.is_given_up() {
            return;
        }
        let mut behind: Vec<(&Sample, usize)> = Vec::new();
        for sample in window {
            let last = self.before.filter(|last| sample.sequence == last.sequence.wrapping_add(1));
            if let Some(last) = last {
                self.tested += 1;
                if let Some(chance) = self.descriptor.follows(&last, sample) {
                    self.fits += 1;
                    self.chance += chance.ln();
                }
            }
            self.before = Some(**sample);
            let Some((length, starts)) = self.descriptor.read(sample.head()) else { continue };
            behind.push((sample, length));
            if starts {
                self.starts.take(sample, length);
            }
        }
        self.behind.look(&behind, false);
    }

    fn is_given_up(&self) -> bool {
        self.tested >= 32 && self.fits * 2 < self.tested
    }

    /// What was found behind the descriptors, where these are all the structure that the packets have.
    pub fn finish(self) -> Option<(Descriptor, Found)> {
        let misses = f64::from(self.tested - self.fits);
        let chance = (self.chance + misses * f64::from(self.tested.max(1)).ln()).exp();
        let are_there = self.tested >= ENOUGH as u32 - 1
            && self.fits * 100 >= self.tested * 95
            && chance < THRESHOLD.sqrt();
        let shown = self.behind.is_structured() || self.starts.finish().is_structured();
        (are_there && !shown).then_some((self.descriptor, self.behind))
    }
}
