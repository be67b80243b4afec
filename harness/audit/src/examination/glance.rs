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
pub struct Glance {
    /// What it is by its own bytes.
    pub class: Class,
    /// Its media, where it is some.
    pub media: Option<Media>,
}

/// A media packet.
#[derive(Clone, Copy, Debug)]
pub struct Media {
    /// Its header.
    pub header: Header,
    /// What its stream keeps of it.
    pub sample: Sample,
    /// Tells its payload from others, tags left out.
    pub hash: u64,
    /// How its payload begins.
    pub start: Option<keystreams::Beginning>,
    /// Payload bytes.
    pub length: usize,
}

impl Glance {
    /// Looks at a packet whose UDP or TCP payload is `payload`.
    pub fn at(packet: &Packet, payload: &[u8], hashes: &RandomState) -> Self {
        let class = match (packet.transport, packet.class) {
            (Transport::Udp, class) if class != Class::Malformed => of_datagram(payload, packet),
            (_, class) => class,
        };
        let media = if class == Class::Rtp { Media::of(packet.number, payload, hashes) } else { None };
        Self { class, media }
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
        let start = payload.first_chunk().copied();
        Some(Self { header, sample, hash: repeats::hashed(payload, hashes), start, length: payload.len() })
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
