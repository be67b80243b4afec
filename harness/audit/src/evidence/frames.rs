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
    /// Which frame of a ledger it is.
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

/// RTP ticks from one frame to the next: Opus of 20 ms at 48 kHz, video of 30 frames a second at 90 kHz.
const fn ticks(packing: Packing) -> i64 {
    match packing {
        Packing::One => 960,
        Packing::Vp8 => 3_000,
    }
}

/// Takes the frames of `stream` apart. `at_ns` gives the time of a packet by its index in the capture; `epoch_ns` is
/// when the ledgers' clock started.
pub fn frames(
    stream: &Stream,
    packing: Packing,
    at_ns: impl Fn(usize) -> u64,
    keys: &Keys,
    ledgers: &Ledgers,
    epoch_ns: u64,
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
    name(&mut found, packing, ledgers, epoch_ns);
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

/// How long a frame may be on its way, in nanoseconds, before another frame with the same content is likelier.
const UNDER_WAY_NS: u64 = 2_000_000_000;

/// Finds out which frames of which ledger these are. The clip repeats, and several devices send the same one; the
/// book is the one that knows most of the frames at about their time, and the number the one that fits the time
/// stamps around it.
fn name(frames: &mut [Frame], packing: Packing, ledgers: &Ledgers, epoch_ns: u64) {
    let hash =
        |frame: &Frame| -> Option<[u8; 32]> { frame.content.as_ref().map(|c| Sha256::digest(c).into()) };
    let hashes: Vec<Option<[u8; 32]>> = frames.iter().map(hash).collect();
    let Some(book) = book_of(frames, &hashes, ledgers, epoch_ns) else { return };
    let candidates = |hash: &[u8; 32]| -> Vec<usize> {
        ledgers.sent(hash).iter().filter(|sent| sent.book == book).map(|sent| sent.frame).collect()
    };
    let anchor = |(at, (frame, hash)): (usize, (&Frame, &Option<[u8; 32]>))| match candidates(hash.as_ref()?)
        .as_slice()
    {
        [only] => Some((at, frame.timestamp, *only)),
        _ => None,
    };
    let anchors: Vec<(usize, u32, usize)> =
        frames.iter().zip(&hashes).enumerate().filter_map(anchor).collect();
    for (at, (frame, hash)) in frames.iter_mut().zip(&hashes).enumerate() {
        let Some(hash) = hash else { continue };
        let after = anchors.partition_point(|(anchor, _, _)| *anchor < at);
        let around = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|i| anchors.get(i));
        let nearest = around.min_by_key(|(anchor, _, _)| anchor.abs_diff(at));
        let estimate = nearest.map_or(i64::try_from(at).unwrap_or(0), |(_, timestamp, number)| {
            let ahead = i64::from(frame.timestamp.wrapping_sub(*timestamp).cast_signed());
            i64::try_from(*number).unwrap_or(0) + ahead.div_euclid(ticks(packing))
        });
        let distance = |number: &usize| i64::try_from(*number).unwrap_or(i64::MAX).abs_diff(estimate);
        frame.sent =
            candidates(hash).into_iter().min_by_key(distance).map(|number| Sent { book, frame: number });
    }
}

/// The book that knows most of the frames: one known at its time counts for more than any number at other times.
fn book_of(frames: &[Frame], hashes: &[Option<[u8; 32]>], ledgers: &Ledgers, epoch_ns: u64) -> Option<usize> {
    let mut votes: HashMap<usize, (usize, usize)> = HashMap::new();
    for (frame, hash) in frames.iter().zip(hashes) {
        let known = hash.as_ref().map_or(&[][..], |hash| ledgers.sent(hash));
        let mut last = None;
        for sent in known {
            let Some(book) = ledgers.books.get(sent.book) else { continue };
            let at_ns = book.at_ns.get(sent.frame).map_or(0, |at| at.saturating_add(epoch_ns));
            let timely = frame.at_ns >= at_ns && frame.at_ns - at_ns <= UNDER_WAY_NS;
            let vote = votes.entry(sent.book).or_default();
            vote.0 += usize::from(timely);
            vote.1 += usize::from(last != Some(sent.book));
            last = Some(sent.book);
        }
    }
    votes.into_iter().max_by_key(|(book, votes)| (*votes, usize::MAX - book)).map(|(book, _)| book)
}
