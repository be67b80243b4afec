//! One SSRC of one direction of one five-tuple on one interface, as the packets come.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::listed::Listed;
use super::repeats::Repeats;
use super::structure::{Found, Look, Structure};
use crate::dissect::rtp::Header;
use crate::dissect::vp8;
use crate::sframe;

/// Where packets go: an interface, two ends, and the peer behind a relay or the channel that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Way {
    /// Index of the interface.
    pub interface: usize,
    /// Who sends.
    pub source: SocketAddr,
    /// Who receives.
    pub destination: SocketAddr,
    /// Whom a relay serves in between.
    pub through: Option<Through>,
}

/// How TURN names the end behind a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Through {
    /// By its address.
    Peer(SocketAddr),
    /// By a channel whose binding was not recorded.
    Channel(u16),
}

impl Way {
    /// The same two ends, whoever sends.
    #[must_use]
    pub fn both(self) -> Self {
        if self.source <= self.destination { self } else { self.back() }
    }

    /// The other direction.
    #[must_use]
    pub fn back(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }
}

/// Payloads shorter than this have no room for a tag and a byte of media: the shortest tag has 4 bytes.
const SHORTEST_PROTECTED: usize = 5;
/// Frames after which a stream without headers of a frame layer is no longer looked at for them.
const HEADERS_TRIED: u32 = 16;
/// Payload lengths that are told apart.
const LENGTHS: usize = 256;

/// A stream so far.
#[derive(Debug)]
pub struct Stream {
    /// Where it goes.
    pub way: Way,
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Packets.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Their numbers.
    pub numbers: Listed,
    /// Number and time of the first packet.
    pub first: (u64, u64),
    /// Number and time of the last packet.
    pub last: (u64, u64),
    /// Packets by payload type.
    pub payload_types: BTreeMap<u8, u64>,
    /// What its payloads look like.
    pub payloads: Payloads,
    /// Packets with an index that was used before.
    pub repeats: Repeats,
    /// Packets that are too short to be protected.
    pub short: Listed,
    /// Header extensions in the clear, by their number, with the profile that says how they are written.
    pub extensions: BTreeMap<u16, u64>,
    /// Packets by payload length, up to a bound.
    pub lengths: BTreeMap<u16, u64>,
    /// Times without a packet longer than three packet times.
    pub pauses: u64,
    follows: u64,
    sequence: Option<u16>,
}

/// What payloads look like, with and without the headers of a frame layer.
#[derive(Debug)]
pub struct Payloads {
    /// As they are.
    structure: Structure,
    /// Behind the headers, while there are any.
    layer: Option<Layer>,
}

/// What was found in payloads.
#[derive(Clone, Debug)]
pub struct Seen {
    /// In the payloads as they are.
    pub whole: Found,
    /// Behind the headers of a frame layer, where nearly every frame has one.
    pub behind: Option<Found>,
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

impl Default for Payloads {
    fn default() -> Self {
        Self { structure: Structure::default(), layer: Some(Layer::default()) }
    }
}

impl Payloads {
    /// Takes a packet in.
    pub fn take(&mut self, look: Look<'_>) {
        self.structure.take(look);
        if let Some(layer) = &mut self.layer {
            layer.take(look);
            if layer.tested == HEADERS_TRIED && layer.fits * 2 < HEADERS_TRIED {
                self.layer = None;
            }
        }
    }

    /// Looks at what was gathered, so that nothing of single packets is kept.
    pub fn close(&mut self) {
        self.structure.close();
        if let Some(layer) = &mut self.layer {
            layer.structure.close();
        }
    }

    /// What was found in all packets.
    pub fn finish(self) -> Seen {
        Seen { whole: self.structure.finish(), behind: self.layer.and_then(Layer::finish) }
    }
}

/// Headers of SFrame in front of what may be its ciphertext.
#[derive(Debug, Default)]
struct Layer {
    fits: u32,
    tested: u32,
    counters: BTreeMap<u64, u64>,
    structure: Structure,
}

impl Stream {
    /// A stream before its first packet.
    pub fn new(way: Way, ssrc: u32) -> Self {
        Self {
            way,
            ssrc,
            packets: 0,
            bytes: 0,
            numbers: Listed::default(),
            first: (0, 0),
            last: (0, 0),
            payload_types: BTreeMap::new(),
            payloads: Payloads::default(),
            repeats: Repeats::default(),
            short: Listed::default(),
            extensions: BTreeMap::new(),
            lengths: BTreeMap::new(),
            pauses: 0,
            follows: 0,
            sequence: None,
        }
    }

    /// Takes a packet in. `whole`: nothing of it was cut off when it was recorded.
    pub fn take(&mut self, number: u64, at_ns: u64, header: &Header, packet: &[u8], whole: bool) {
        let payload = packet.get(header.length..).unwrap_or_default();
        if self.packets == 0 {
            self.first = (number, at_ns);
        } else if at_ns.saturating_sub(self.last.1) > 60_000_000 {
            self.pauses += 1;
        }
        self.packets += 1;
        self.numbers.push(number);
        self.bytes += payload.len() as u64;
        self.last = (number, at_ns);
        let ahead = self.sequence.map(|before| header.sequence.wrapping_sub(before));
        self.follows += u64::from(ahead.is_some_and(|ahead| ahead.wrapping_add(16) <= 80));
        self.sequence = Some(header.sequence);
        if self.payload_types.len() < 16 || self.payload_types.contains_key(&header.payload_type) {
            *self.payload_types.entry(header.payload_type).or_default() += 1;
        }
        self.extension(packet);
        if payload.is_empty() {
            return;
        }
        let length = payload.len() as u16;
        if self.lengths.len() < LENGTHS || self.lengths.contains_key(&length) {
            *self.lengths.entry(length).or_default() += 1;
        }
        if whole && payload.len() < SHORTEST_PROTECTED {
            self.short.push(number);
        }
        self.repeats.take(number, at_ns, header.sequence, payload);
        let look = Look {
            number,
            payload_type: header.payload_type,
            timestamp: header.timestamp,
            sequence: header.sequence,
            marker: header.marker,
            payload,
            tagged: true,
        };
        self.payloads.take(look);
    }

    /// The profile of a header extension stands behind the contributing sources (RFC 3550 §5.3.1).
    fn extension(&mut self, packet: &[u8]) {
        let first = packet.first().copied().unwrap_or_default();
        if first & 0x10 == 0 {
            return;
        }
        let at = 12 + 4 * usize::from(first & 0x0F);
        if let Some(profile) = packet.get(at..at + 2).and_then(|bytes| bytes.first_chunk::<2>()) {
            let profile = u16::from_be_bytes(*profile);
            if self.extensions.len() < 16 || self.extensions.contains_key(&profile) {
                *self.extensions.entry(profile).or_default() += 1;
            }
        }
    }

    /// Whether the sequence numbers go on as those of RTP do: half of the packets follow the one before.
    pub fn goes_on(&self) -> bool {
        self.packets >= 2 && self.follows * 2 >= self.packets - 1
    }

    /// The payload type of most packets.
    pub fn payload_type(&self) -> u8 {
        self.payload_types.iter().max_by_key(|(_, count)| **count).map_or(0, |(kind, _)| *kind)
    }

    /// Looks at what was gathered, so that nothing of single packets is kept.
    pub fn close(&mut self) {
        self.payloads.close();
        self.repeats.close();
    }
}

impl Layer {
    fn take(&mut self, look: Look<'_>) {
        let descriptor = vp8::Descriptor::parse(look.payload);
        let plain = sframe::Header::parse(look.payload).filter(|header| self.goes_on(header));
        let (header, skipped) = match (plain, descriptor) {
            (Some(header), _) => (Some(header), 0),
            (None, Some(descriptor)) => {
                let behind = look.payload.get(descriptor.length..).unwrap_or_default();
                if !descriptor.starts_frame() {
                    self.structure.take(Look { payload: behind, ..look });
                    return;
                }
                let header = sframe::Header::parse(behind).filter(|header| self.goes_on(header));
                (header, descriptor.length)
            }
            (None, None) => (None, 0),
        };
        self.tested += 1;
        if let Some(header) = header {
            self.fits += 1;
            if self.counters.len() < 8 || self.counters.contains_key(&header.key_id) {
                self.counters.insert(header.key_id, header.counter);
            }
            let payload = look.payload.get(skipped + header.length..).unwrap_or_default();
            self.structure.take(Look { payload, ..look });
        }
    }

    /// A counter a little above the last one of its key, or the first of a key.
    fn goes_on(&self, header: &sframe::Header) -> bool {
        match self.counters.get(&header.key_id) {
            Some(last) => header.counter > *last && header.counter - last <= 64,
            None => self.counters.len() < 4 && header.length <= 9,
        }
    }

    /// What stands behind the headers, if there are such headers on nearly every frame.
    fn finish(self) -> Option<Found> {
        let fits = self.tested >= 8 && self.fits * 100 >= self.tested * 95;
        fits.then(|| self.structure.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Way {
        let address = |text: &str| text.parse().expect("an address");
        Way {
            interface: 0,
            source: address("10.0.0.1:5000"),
            destination: address("10.0.0.2:6000"),
            through: None,
        }
    }

    fn packet(sequence: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x80, 111];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 960).to_be_bytes());
        packet.extend([0, 0, 0, 1]);
        packet.extend(payload);
        packet
    }

    fn taken(packets: impl IntoIterator<Item = (u16, Vec<u8>)>) -> Stream {
        let mut stream = Stream::new(way(), 1);
        for (number, (sequence, payload)) in (1..).zip(packets) {
            let packet = packet(sequence, &payload);
            let header = Header::parse(&packet).expect("a header");
            stream.take(number, number * 20_000_000, &header, &packet, true);
        }
        stream
    }

    /// Bytes that nobody can tell from random ones.
    fn noise(n: u16, length: usize) -> Vec<u8> {
        use sha2::{Digest, Sha256};
        (0_u8..)
            .flat_map(|block| Sha256::digest([&n.to_be_bytes()[..], &[block]].concat()).to_vec())
            .take(length)
            .collect()
    }

    #[test]
    fn headers_of_sframe_are_taken_off_before_structure_is_looked_for() {
        let sealed = (0..64_u16).map(|n| {
            let header = if n < 8 { vec![n as u8] } else { vec![0x08, n as u8] };
            (n, [header, noise(n, 70)].concat())
        });
        let stream = taken(sealed);
        let seen = stream.payloads.finish();
        assert!(seen.whole.is_structured() && !seen.is_readable());
        assert_eq!(seen.behind.expect("on every frame").packets, 64);
    }

    #[test]
    fn opus_has_no_headers_of_sframe() {
        let opus = (0..64_u16).map(|n| (n, [vec![0x78], noise(n, 70)].concat()));
        let seen = taken(opus).payloads.finish();
        assert!(seen.behind.is_none() && seen.is_readable());
    }

    #[test]
    fn what_is_too_short_for_a_tag_is_listed() {
        let stream = taken([(1, noise(1, 40)), (2, vec![0xF8, 0xFF, 0xFE]), (3, vec![]), (4, noise(4, 5))]);
        assert_eq!(stream.short.numbers, [2]);
    }

    #[test]
    fn only_sequence_numbers_that_go_on_are_those_of_rtp() {
        assert!(taken((1..9).map(|n| (n, vec![0; 9]))).goes_on());
        assert!(!taken([1, 30_000, 7, 52_000, 900].map(|n| (n, vec![0; 9]))).goes_on());
        assert!(!taken([(1, vec![0; 9])]).goes_on());
    }
}
