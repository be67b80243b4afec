//! Keys that protect what both of two ends send: with the SSRC of the other direction, either would read its own
//! keystream.
//!
//! Invariant: a key counts where it opened packets; what a description says of keys does not.

use std::collections::BTreeMap;

use super::listed::Listed;
use super::opening::Opened;
use super::stream::{Stream, Way};

/// The keys of a capture, and what they opened, by key and way.
#[derive(Debug, Default)]
pub struct Directions(BTreeMap<(usize, Way), Vec<Packets>>);

/// An SSRC, and numbers of its packets.
type Packets = (u32, Vec<u64>);

impl Directions {
    /// Takes in what keys opened of a stream.
    pub fn take(&mut self, stream: &Stream, opened: &Opened) {
        for key in &opened.keys {
            let streams = self.0.entry((*key, stream.way.bare())).or_default();
            streams.push((stream.ssrc, stream.numbers().numbers));
        }
    }

    /// Ends between which one key serves both directions, with packets of both. Streams with one SSRC are judged by
    /// their bytes.
    pub fn shared(&self) -> Vec<(Way, Listed)> {
        let mut found: BTreeMap<Way, Listed> = BTreeMap::new();
        for ((key, way), there) in self.0.iter().filter(|((_, way), _)| *way == way.both()) {
            let Some(back) = self.0.get(&(*key, way.back())) else { continue };
            if there.iter().any(|(ssrc, _)| back.iter().any(|(other, _)| other == ssrc)) {
                continue;
            }
            let mut packets: Vec<u64> =
                there.iter().chain(back).flat_map(|(_, packets)| packets.iter().copied()).collect();
            packets.sort_unstable();
            found.insert(*way, packets.into_iter().collect());
        }
        found.into_iter().collect()
    }
}
