//! What is taken of a media packet where its bytes are at hand: on the thread that read them.
//!
//! Invariant: whoever keeps a glance never comes back to the packet.

use foldhash::quality::RandomState;

use super::keystreams;
use super::repeats;
use super::sample::{Look, Sample};
use crate::capture::Packet;
use crate::capture::Transport;
use crate::capture::class::{Class, of_datagram};
use crate::dissect::rtp::Header;

/// A packet as the survey needs it.
#[derive(Clone, Copy, Debug)]
pub enum Glance {
    /// Media that no relay carries: nothing else of the packet is needed.
    Media {
        /// The number of its stream, counted from 0 in the order of their first packets; none past a bound.
        stream: Option<u32>,
        /// Nanoseconds from 1970.
        at_ns: u64,
        /// Nothing of it was cut off when it was recorded.
        whole: bool,
        /// What its stream takes of it.
        media: Media,
    },
    /// Anything else: the next of the packets that are kept, and what it is by its own bytes.
    Kept(Class),
}

/// A media packet.
#[derive(Clone, Copy, Debug)]
pub struct Media {
    /// What its stream keeps of it.
    pub sample: Sample,
    /// Tells its payload from others, tags left out.
    pub hash: u64,
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Payload bytes.
    pub length: u32,
}

/// What a packet is by its own bytes.
pub fn class(packet: &Packet, payload: &[u8]) -> Class {
    match (packet.transport, packet.class) {
        (Transport::Udp, class) if class != Class::Malformed => of_datagram(payload, packet),
        (_, class) => class,
    }
}

impl Media {
    /// Takes what is needed of `packet`, an RTP packet with this number; none where it is no RTP.
    pub fn of(number: u64, packet: &[u8], hashes: &RandomState) -> Option<Self> {
        let header = Header::parse(packet)?;
        let payload = packet.get(header.length..).unwrap_or_default();
        let sample = Sample::of(&Look {
            number,
            payload_type: header.payload_type,
            timestamp: header.timestamp,
            sequence: header.sequence,
            marker: header.marker,
            extension: extension(packet),
            payload,
            tagged: true,
        });
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        Some(Self { sample, hash: repeats::hashed(payload, hashes), ssrc: header.ssrc, length })
    }

    /// How its payload begins, where it is that long.
    pub fn start(&self) -> Option<keystreams::Beginning> {
        self.sample.head().first_chunk().copied()
    }
}

/// The profile of the header extension, which stands behind the contributing sources (RFC 3550 §5.3.1); 0 without one.
fn extension(packet: &[u8]) -> u16 {
    let first = packet.first().copied().unwrap_or_default();
    if first & 0x10 == 0 {
        return 0;
    }
    let at = 12 + 4 * usize::from(first & 0x0F);
    packet
        .get(at..)
        .and_then(|rest| rest.first_chunk::<2>())
        .map_or(0, |profile| u16::from_be_bytes(*profile))
}
