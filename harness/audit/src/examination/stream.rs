//! One SSRC of one direction of one five-tuple on one interface, as the packets come.

use std::net::SocketAddr;

use model::audit::LISTED_PACKETS;

use super::few::{self, Short};
use super::glance::Media;
use super::keystreams::Start;
use super::listed::Listed;
use super::payloads::Payloads;
use super::repeats::Repeats;
use super::timeline::{self, End, Spans};

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
    /// Bytes of a header of the product's own that stand before the RTP, 0 without one.
    pub behind: u8,
}

/// How TURN names the end behind a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Through {
    /// By its address.
    Peer(SocketAddr),
    /// By a channel whose binding was not recorded.
    Channel(u16),
    /// Not at all: the datagrams travel inside a TCP connection.
    Tcp,
}

impl Way {
    /// The same two ends, whoever sends.
    #[must_use]
    pub fn both(self) -> Self {
        if self.source <= self.destination { self } else { self.back() }
    }

    /// The way on which everything beside the RTP goes: handshakes and reports stand behind no header.
    #[must_use]
    pub fn bare(self) -> Self {
        Self { behind: 0, ..self }
    }

    /// The other direction.
    #[must_use]
    pub fn back(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }
}

/// Payloads shorter than this have no room for a tag and a byte of media: the shortest tag has 4 bytes.
const SHORTEST_PROTECTED: usize = 5;
/// A time without a packet that is longer than three packet times of 20 ms, in nanoseconds.
const PAUSE_NS: u64 = 60_000_000;

/// A stream so far. What every packet changes stands in front: of a capture of many calls each packet finds its stream
/// cold, and three cache lines come sooner than ten.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Stream {
    /// Packets.
    pub packets: u64,
    /// Payload bytes.
    pub bytes: u64,
    /// Number and time of the first packet.
    pub first: (u64, u64),
    /// Number and time of the last packet.
    pub last: (u64, u64),
    /// Times without a packet longer than three packet times.
    pub pauses: u64,
    follows: u64,
    sequence: Option<u16>,
    /// Where spans of it end.
    pub spans: Spans<End>,
    /// How it begins.
    pub start: Start,
    /// What its payloads look like.
    pub payloads: Payloads,
    /// Packets with an index that was used before.
    pub repeats: Repeats,
    /// The numbers of the first packets.
    numbers: Vec<Short>,
    /// Where it goes.
    pub way: Way,
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Packets that are too short to be protected.
    pub short: Listed,
}

impl Stream {
    /// A stream before its first packet.
    pub fn new(way: Way, ssrc: u32) -> Self {
        Self {
            way,
            ssrc,
            packets: 0,
            bytes: 0,
            first: (0, 0),
            last: (0, 0),
            pauses: 0,
            follows: 0,
            sequence: None,
            spans: Spans::default(),
            numbers: Vec::new(),
            payloads: Payloads::default(),
            repeats: Repeats::default(),
            short: Listed::default(),
            start: Start::default(),
        }
    }

    /// Takes a packet in, with its time. `whole`: nothing of it was cut off when it was recorded.
    pub fn take(&mut self, at_ns: u64, media: &Media, whole: bool) {
        let (number, sequence, length) = (media.sample.number, media.sample.sequence, media.length as usize);
        let at = (number, at_ns);
        if self.packets == 0 {
            self.first = at;
        } else if at_ns.saturating_sub(self.last.1) > PAUSE_NS {
            self.pauses += 1;
        }
        self.packets += 1;
        if self.packets <= LISTED_PACKETS as u64 {
            few::push(&mut self.numbers, LISTED_PACKETS, Short::of(number));
        }
        self.bytes += u64::from(media.length);
        self.last = at;
        self.spans.take(|| timeline::end(self.first, at), |_, later| later);
        let ahead = self.sequence.map(|before| sequence.wrapping_sub(before));
        self.follows += u64::from(ahead.is_some_and(|ahead| ahead.wrapping_add(16) <= 80));
        self.sequence = Some(sequence);
        if whole && (1..SHORTEST_PROTECTED).contains(&length) {
            self.short.push(number);
        }
        if length > 0 {
            self.repeats.take(number, at_ns, sequence, media.hash);
        }
        self.start.take(number, sequence, media.start());
        self.payloads.keep(media.sample);
    }

    /// Something of each part that every packet changes; reading it brings them near.
    pub fn fetch(&self) -> u64 {
        self.packets + u64::from(self.sequence.is_some()) + self.repeats.fetch()
    }

    /// Something of the places to which a packet goes that follows; what [`fetch`](Self::fetch) reads tells where.
    pub fn fetch_places(&self, sequence: u16) -> u64 {
        self.payloads.fetch() ^ self.repeats.fetch_place(sequence)
    }

    /// The packets' numbers.
    pub fn numbers(&self) -> Listed {
        Listed { numbers: self.numbers.iter().map(|number| number.get()).collect(), total: self.packets }
    }

    /// Whether the sequence numbers go on as those of RTP do: half of the packets follow the one before.
    pub fn goes_on(&self) -> bool {
        self.packets >= 2 && self.follows * 2 >= self.packets - 1
    }

    /// Looks at what was gathered, so that nothing of single packets is kept.
    pub fn close(&mut self) {
        self.payloads.close();
        self.repeats.close();
    }
}

#[cfg(test)]
mod tests {
    use foldhash::quality::RandomState;

    use super::*;

    fn way() -> Way {
        let address = |text: &str| text.parse().expect("an address");
        Way {
            interface: 0,
            source: address("10.0.0.1:5000"),
            destination: address("10.0.0.2:6000"),
            through: None,
            behind: 0,
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
        let (mut stream, hashes) = (Stream::new(way(), 1), RandomState::default());
        for (number, (sequence, payload)) in (1..).zip(packets) {
            let packet = packet(sequence, &payload);
            let media = Media::of(number, &packet, &hashes).expect("RTP");
            stream.take(number * 20_000_000, &media, true);
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
