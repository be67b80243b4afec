//! Media frames of a stream: put together, with SFrame taken off where a key opens it, and named by the ledgers.
//!
//! Invariant: a frame is open to a listener only when every packet of it and its seal are.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::ears::Ears;
use super::keys::Keys;
use super::ledgers::{Ledgers, Sent};
use super::streams::{MediaPacket, Stream};
use crate::dissect::vp8;
use crate::sframe;

/// What lies inside the hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// A frame of a ledger, as the encoder made it.
    Plain,
    /// SFrame that some key opens.
    Sealed {
        /// Index of the key.
        key: usize,
        /// The key id in the header.
        key_id: u64,
        /// The counter in the header.
        counter: u64,
    },
    /// Neither.
    Unknown,
}

/// A media frame as one stream carried it.
#[derive(Debug)]
pub struct Frame {
    /// Its packets, as indices into the stream's.
    pub packets: Vec<usize>,
    /// Nanoseconds from 1970 of its last packet.
    pub at_ns: u64,
    /// RTP time stamp.
    pub timestamp: u32,
    /// Who can open the hop.
    pub hop: Ears,
    /// Who can read the content.
    pub ears: Ears,
    /// What lies inside the hop.
    pub inside: Inside,
    /// SHA-256 of what lies inside the hop.
    pub digest: [u8; 32],
    /// What lies inside the hop.
    pub payload: Vec<u8>,
    /// The content inside every seal that was opened; the payload where there was none.
    pub content: Option<Vec<u8>>,
    /// Which frame of a ledger it is, once it is named.
    pub sent: Option<Sent>,
}

/// How frames are cut into packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// One packet a frame.
    One,
    /// As VP8, behind a descriptor, up to the marker.
    Vp8,
}

/// Takes the frames of `stream` apart. `at_ns` gives the time of a packet by its index in the capture. The frames
/// are not named yet.
pub fn frames(
    stream: &Stream,
    packing: Packing,
    at_ns: impl Fn(usize) -> u64,
    keys: &Keys,
    ledgers: &Ledgers,
) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut last_key = None;
    for (packets, payload) in assemble(stream, packing) {
        let hop = packets.iter().filter_map(|p| stream.packets.get(*p)).fold(Ears::ALL, |e, p| e & p.hop);
        let last = packets.last().and_then(|p| stream.packets.get(*p));
        let mut frame = Frame {
            at_ns: last.map_or(0, |p| at_ns(p.index)),
            timestamp: last.map_or(0, |p| p.header.timestamp),
            packets,
            hop,
            ears: Ears::NONE,
            inside: Inside::Unknown,
            digest: Sha256::digest(&payload).into(),
            payload,
            content: None,
            sent: None,
        };
        open(&mut frame, keys, ledgers, &mut last_key);
        found.push(frame);
    }
    found
}

fn open(frame: &mut Frame, keys: &Keys, ledgers: &Ledgers, last_key: &mut Option<usize>) {
    if ledgers.has_length(frame.payload.len()) && !ledgers.sent(&frame.digest).is_empty() {
        // Read off the wire without any key, the hop was no hop at all.
        let hop = if frame.hop.is_none() { Ears::ALL } else { frame.hop };
        (frame.inside, frame.hop, frame.ears) = (Inside::Plain, hop, hop);
        frame.content = Some(frame.payload.clone());
        return;
    }
    let Some(header) = sframe::Header::parse(&frame.payload) else { return };
    let all = keys.frame_keys();
    let order = (*last_key).into_iter().chain(0..all.len());
    let mut ears = Ears::NONE;
    for index in order {
        let Some(key) = all.get(index).filter(|k| k.key_id == header.key_id) else { continue };
        if key.ears & ears == key.ears && !ears.is_none() {
            continue;
        }
        let Some(content) = key.opener.open(&frame.payload, &[]) else { continue };
        ears |= key.ears;
        frame.inside = Inside::Sealed { key: index, key_id: header.key_id, counter: header.counter };
        frame.content = Some(content);
        *last_key = Some(index);
    }
    if !ears.is_none() {
        // Sealed frames that no hop protects are as open as their seal.
        let hop = if frame.hop.is_none() { Ears::ALL } else { frame.hop };
        (frame.hop, frame.ears) = (hop, hop & ears);
    }
}

/// Payloads of whole frames with the packets that carried them, in the order of completion. A repeated packet is a
/// frame of its own, so that replays are seen.
fn assemble(stream: &Stream, packing: Packing) -> Vec<(Vec<usize>, Vec<u8>)> {
    match packing {
        Packing::One => {
            let carrying = stream.packets.iter().enumerate().filter(|(_, p)| !p.body.is_empty());
            carrying.map(|(index, packet)| (vec![index], packet.body.clone())).collect()
        }
        Packing::Vp8 => assemble_vp8(stream),
    }
}

/// Frames by time stamp: from the packet that starts one to the marker, without a gap (RFC 7741 §4.1, §4.2).
fn assemble_vp8(stream: &Stream) -> Vec<(Vec<usize>, Vec<u8>)> {
    let mut open: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut found = Vec::new();
    for (index, packet) in stream.packets.iter().enumerate() {
        if packet.body.is_empty() {
            continue;
        }
        let pieces = open.entry(packet.header.timestamp).or_default();
        pieces.push(index);
        if let Some(whole) = whole(stream, pieces) {
            open.remove(&packet.header.timestamp);
            found.push(whole);
        }
    }
    found
}

fn whole(stream: &Stream, pieces: &[usize]) -> Option<(Vec<usize>, Vec<u8>)> {
    let mut packets: Vec<(usize, &MediaPacket)> =
        pieces.iter().filter_map(|p| Some((*p, stream.packets.get(*p)?))).collect();
    let start =
        packets.iter().find(|(_, p)| vp8::Descriptor::parse(&p.body).is_some_and(|d| d.starts_frame()))?;
    let first = start.1.header.sequence;
    packets.sort_by_key(|(_, p)| p.header.sequence.wrapping_sub(first));
    packets.dedup_by_key(|(_, p)| p.header.sequence);
    let end = packets.iter().position(|(_, p)| p.header.marker)?;
    let mut payload = Vec::new();
    let mut indices = Vec::new();
    for (ordinal, (index, packet)) in packets.iter().enumerate().take(end + 1) {
        if usize::from(packet.header.sequence.wrapping_sub(first)) != ordinal {
            return None;
        }
        let descriptor = vp8::Descriptor::parse(&packet.body)?;
        payload.extend_from_slice(packet.body.get(descriptor.length..)?);
        indices.push(*index);
    }
    Some((indices, payload))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::dissect::rtp::Header;
    use crate::evidence::Flow;

    fn packet(sequence: u16, timestamp: u32, marker: bool, body: &[u8]) -> MediaPacket {
        let header =
            Header { marker, payload_type: 96, sequence, timestamp, ssrc: 1, padding: false, length: 12 };
        MediaPacket { index: 0, header, body: body.to_vec(), padding: Vec::new(), hop: Ears::ALL }
    }

    fn payloads(packets: Vec<MediaPacket>, packing: Packing) -> Vec<Vec<u8>> {
        let address = "10.0.0.1:5000".parse().expect("an address");
        let flow = Flow { interface: 0, source: address, destination: address, peer: None };
        let stream = Stream { flow, ssrc: 1, packets };
        assemble(&stream, packing).into_iter().map(|(_, payload)| payload).collect()
    }

    #[rstest]
    #[case::in_order([(1, false, &[0x10, 1][..]), (2, false, &[0, 2]), (3, true, &[0, 3])], Some(&[1, 2, 3][..]))]
    #[case::out_of_order([(3, true, &[0, 3][..]), (1, false, &[0x10, 1]), (2, false, &[0, 2])], Some(&[1, 2, 3][..]))]
    #[case::round_the_circle([(65_535, false, &[0x10, 1][..]), (0, false, &[0, 2]), (1, true, &[0, 3])], Some(&[1, 2, 3][..]))]
    #[case::twice([(1, false, &[0x10, 1][..]), (1, false, &[0x10, 1]), (2, true, &[0, 2])], Some(&[1, 2][..]))]
    #[case::gap([(1, false, &[0x10, 1][..]), (3, false, &[0, 3]), (4, true, &[0, 4])], None)]
    #[case::no_start([(1, false, &[0, 1][..]), (2, false, &[0, 2]), (3, true, &[0, 3])], None)]
    #[case::no_end([(1, false, &[0x10, 1][..]), (2, false, &[0, 2]), (3, false, &[0, 3])], None)]
    fn a_video_frame_is_whole_from_its_start_to_its_marker(
        #[case] packets: [(u16, bool, &[u8]); 3],
        #[case] whole: Option<&[u8]>,
    ) {
        let packets = packets.map(|(sequence, marker, body)| packet(sequence, 9, marker, body));
        let found = payloads(packets.into(), Packing::Vp8);
        assert_eq!(
            found.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            whole.into_iter().collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_packet_without_payload_is_no_frame_and_a_repeated_one_is_two() {
        let packets = vec![packet(1, 9, false, &[]), packet(2, 10, false, &[7]), packet(2, 10, false, &[7])];
        assert_eq!(payloads(packets, Packing::One), [[7], [7]]);
    }
}
