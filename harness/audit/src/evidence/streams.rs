//! RTP streams, one per SSRC, direction, five-tuple and interface, with SRTP taken off where a key opens it.
//!
//! Invariant: a packet is open to exactly those listeners who hold a key that authenticates it.

use std::collections::BTreeMap;

use super::associations::Association;
use super::datagrams::{Datagram, Flow};
use super::ears::Ears;
use super::keys::Keys;
use crate::capture::{Capture, Class};
use crate::dissect::rtp::Header;
use crate::srtp::{MasterKey, Rollover, RtpOpener};

/// Rollover counters that are tried before anything has opened: the capture holds a stream from its start.
const LAST_ROLLOVER: u32 = 1;

/// Packets of a stream on which a key without a place is tried.
const TRIED_PACKETS: usize = 3;

/// A stream as one interface saw it.
#[derive(Debug)]
pub struct Stream {
    /// Direction and interface.
    pub flow: Flow,
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Its packets in the order of the capture.
    pub packets: Vec<MediaPacket>,
}

/// One RTP packet.
#[derive(Debug)]
pub struct MediaPacket {
    /// Index in the capture.
    pub index: usize,
    /// What the header says in the clear.
    pub header: Header,
    /// What follows the header, without padding: inside SRTP where somebody can open it, else as it stands.
    pub body: Vec<u8>,
    /// The padding behind it inside SRTP; empty where nobody can open it.
    pub padding: Vec<u8>,
    /// Who can open SRTP; nobody where no key fits.
    pub hop: Ears,
}

/// A key with its derived state, made once.
struct Opener {
    flow: Option<Flow>,
    ears: Ears,
    rtp: RtpOpener,
}

/// Every stream of the capture, in the order of the first packet.
pub fn streams(
    capture: &Capture,
    datagrams: &[Datagram],
    associations: &[Association],
    keys: &Keys,
) -> Vec<Stream> {
    let openers = openers(associations, keys);
    let mut by_flow: BTreeMap<Flow, Vec<usize>> = BTreeMap::new();
    for (index, opener) in openers.iter().enumerate() {
        if let Some(flow) = opener.flow {
            by_flow.entry(flow).or_default().push(index);
        }
    }
    let mut at: BTreeMap<(Flow, u32), usize> = BTreeMap::new();
    let mut found: Vec<(Stream, Opening)> = Vec::new();
    for datagram in datagrams.iter().filter(|d| d.class == Class::Rtp) {
        let bytes = datagram.bytes(capture);
        let Some(header) = Header::parse(bytes) else { continue };
        let index = *at.entry((datagram.flow, header.ssrc)).or_insert_with(|| {
            let likely = by_flow.get(&datagram.flow).cloned().unwrap_or_default();
            let stream = Stream { flow: datagram.flow, ssrc: header.ssrc, packets: Vec::new() };
            found.push((stream, Opening { likely, ..Opening::default() }));
            found.len() - 1
        });
        let Some((stream, opening)) = found.get_mut(index) else { continue };
        let (hop, body) = opening.open(&openers, bytes, stream.packets.len());
        let body = body.unwrap_or_else(|| bytes.get(header.length..).unwrap_or_default().to_vec());
        let length = if hop.is_none() { body.len() } else { header.without_padding(&body).len() };
        let mut body = body;
        let padding = body.split_off(length);
        stream.packets.push(MediaPacket { index: datagram.packet, header, body, padding, hop });
    }
    found.into_iter().map(|(stream, _)| stream).collect()
}

fn openers(associations: &[Association], keys: &Keys) -> Vec<Opener> {
    let hops = associations.iter().flat_map(|a| &a.keys).map(|key| (Some(key.flow), key.ears, &key.master));
    let bare = keys.srtp().map(|(master, ears)| (None, ears, master));
    let opener = |(flow, ears, master): (Option<Flow>, Ears, &MasterKey)| Opener {
        flow,
        ears,
        rtp: RtpOpener::new(master),
    };
    hops.chain(bare).map(opener).collect()
}

/// How far the opening of one stream has come.
#[derive(Default)]
struct Opening {
    /// Keys that the handshake on the stream's own path gave to its direction.
    likely: Vec<usize>,
    /// Keys that have opened a packet, with the rollover counter under each.
    fitting: Vec<(usize, Rollover)>,
}

impl Opening {
    fn open(&mut self, openers: &[Opener], packet: &[u8], ordinal: usize) -> (Ears, Option<Vec<u8>>) {
        let mut ears = Ears::NONE;
        let mut opened = None;
        for (index, rollover) in &mut self.fitting {
            let Some(opener) = openers.get(*index) else { continue };
            if opener.ears & ears == opener.ears {
                continue;
            }
            if let Some((_, body)) = rollover.open(&opener.rtp, packet, LAST_ROLLOVER) {
                ears |= opener.ears;
                opened = Some(body);
            }
        }
        if opened.is_some() {
            return (ears, opened);
        }
        let own = self.likely.iter().copied();
        let others = 0..if ordinal < TRIED_PACKETS { openers.len() } else { 0 };
        for index in own.chain(others) {
            let Some(opener) = openers.get(index) else { continue };
            let known = self.fitting.iter().any(|(fitting, _)| *fitting == index);
            let mut rollover = Rollover::default();
            if known || opener.ears & ears == opener.ears {
                continue;
            }
            if let Some((_, body)) = rollover.open(&opener.rtp, packet, LAST_ROLLOVER) {
                self.fitting.push((index, rollover));
                ears |= opener.ears;
                opened = Some(body);
            }
        }
        (ears, opened)
    }
}
