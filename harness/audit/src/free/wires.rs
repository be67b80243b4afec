//! Free bytes of packets: what every listener tapped.
//!
//! Invariant: of a packet that opened, header and trailer stay and the ciphertext goes; of any other packet all stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Free;
use crate::capture::{Class, Transport};
use crate::evidence::{Datagram, Ears, Evidence, Flow, Inside, Media, Packing};
use crate::srtp::RtcpOpener;
use crate::{dissect, sframe};

/// Bytes that every RTP header has (RFC 3550 §5.1).
const RTP_HEADER: usize = 12;
/// The content type of a TLS record of application data (RFC 8446 §5.1).
const APPLICATION_DATA: u8 = 23;

pub(super) fn collect(evidence: &Evidence<'_>, free: &mut Free) {
    let media = evidence.media.iter().flat_map(|media| media.stream.packets.iter().map(|p| (p.index, p.hop)));
    let hops: HashMap<usize, Ears> = media.collect();
    let openers = rtcp_openers(evidence);
    for (index, packet) in evidence.capture.packets.iter().enumerate() {
        if !matches!(packet.transport, Transport::Udp | Transport::Tcp { .. })
            || packet.class == Class::Malformed
        {
            free.wire("a packet that cannot be read", index, evidence.capture.frame(packet), Ears::ALL);
        }
    }
    for datagram in &evidence.datagrams {
        wrapping(evidence, datagram, free);
        let (packet, bytes) = (datagram.packet, datagram.bytes(&evidence.capture));
        match datagram.class {
            Class::Rtp | Class::Srtp => {
                let opened = hops.get(&packet).is_some_and(|hop| !hop.is_none());
                let header = dissect::rtp::Header::parse(bytes).map_or(RTP_HEADER, |header| header.length);
                let kept = if opened { bytes.get(..header).unwrap_or(bytes) } else { bytes };
                free.wire("the header of an RTP packet", packet, kept, Ears::ALL);
            }
            Class::Rtcp | Class::Srtcp => rtcp(&openers, datagram, bytes, free),
            Class::Dtls => {
                for record in dissect::dtls::records(bytes) {
                    free.wire("a DTLS record", packet, record.fragment, Ears::ALL);
                }
                for record in dissect::dtls::protected(bytes) {
                    free.wire("a DTLS record", packet, record.body, Ears::ALL);
                }
            }
            Class::Stun => free.wire("a STUN message", packet, bytes, Ears::ALL),
            _ => free.wire("a datagram", packet, bytes, Ears::ALL),
        }
    }
    evidence.media.iter().for_each(|media| frames(evidence, media, free));
    connections(evidence, free);
}

/// What stands around a datagram that a TURN server relays: header and attributes.
fn wrapping(evidence: &Evidence<'_>, datagram: &Datagram, free: &mut Free) {
    let Some(packet) = evidence.capture.packets.get(datagram.packet) else { return };
    let payload = evidence.capture.payload(packet);
    if datagram.range == (0..payload.len()) {
        return;
    }
    let around = [payload.get(..datagram.range.start), payload.get(datagram.range.end..)];
    for bytes in around.into_iter().flatten() {
        free.wire("a TURN message", datagram.packet, bytes, Ears::ALL);
    }
}

fn rtcp_openers(evidence: &Evidence<'_>) -> BTreeMap<Flow, Vec<(RtcpOpener, Ears)>> {
    let mut openers: BTreeMap<Flow, Vec<(RtcpOpener, Ears)>> = BTreeMap::new();
    for key in evidence.associations.iter().flat_map(|association| &association.keys) {
        openers.entry(key.flow).or_default().push((RtcpOpener::new(&key.master), key.ears));
    }
    openers
}

fn rtcp(
    openers: &BTreeMap<Flow, Vec<(RtcpOpener, Ears)>>,
    datagram: &Datagram,
    bytes: &[u8],
    free: &mut Free,
) {
    let packet = datagram.packet;
    let mut ears = Ears::NONE;
    let mut inside = None;
    for (opener, holders) in openers.get(&datagram.flow).into_iter().flatten() {
        if let Some(opened) = opener.open(bytes) {
            ears |= *holders;
            inside = Some(opened.packet);
        }
    }
    match inside {
        Some(inside) => free.wire("an RTCP packet", packet, &inside, ears),
        None => free.wire("an RTCP packet", packet, bytes, Ears::ALL),
    }
}

/// What lies inside the hop and is no ciphertext of a ledger frame, and the headers of frames that have room.
fn frames(evidence: &Evidence<'_>, media: &Media, free: &mut Free) {
    let framed: BTreeSet<usize> =
        media.frames.iter().flat_map(|frame| frame.packets.iter().copied()).collect();
    for (at, packet) in media.stream.packets.iter().enumerate().filter(|(_, packet)| !packet.hop.is_none()) {
        free.wire("the padding of an RTP packet", packet.index, &packet.padding, packet.hop);
        if !framed.contains(&at) {
            free.wire("an RTP packet of no frame", packet.index, &packet.body, packet.hop);
        } else if media.packing == Packing::Vp8 {
            let length =
                dissect::vp8::Descriptor::parse(&packet.body).map_or(0, |descriptor| descriptor.length);
            let descriptor = packet.body.get(..length).unwrap_or_default();
            free.wire("a VP8 descriptor", packet.index, descriptor, packet.hop);
        }
    }
    for frame in &media.frames {
        let Some(packet) = frame.packets.last().and_then(|p| media.stream.packets.get(*p)) else { continue };
        let unknown =
            if evidence.recorded { "a frame that no ledger knows" } else { "a frame without a seal" };
        match evidence.is_accounted_for(frame) {
            false => free.wire(unknown, packet.index, &frame.payload, frame.hop),
            true => {
                let header = sframe::Header::parse(&frame.payload).filter(|header| !header.is_shortest());
                let header = header.filter(|_| frame.inside != Inside::Plain);
                let bytes = header.and_then(|header| frame.payload.get(..header.length)).unwrap_or_default();
                free.wire("a header of SFrame", packet.index, bytes, frame.hop);
            }
        }
    }
}

/// TLS records in the clear. What opened goes to those who can open it; where a connection could not be read whole,
/// all of it stays.
fn connections(evidence: &Evidence<'_>, free: &mut Free) {
    for (index, connection) in evidence.signalling.connections.iter().enumerate() {
        let whole = !evidence.signalling.unreadable.iter().any(|(unreadable, _)| *unreadable == index);
        let is_tls = crate::tls13::client_random(&connection.to_server.bytes).is_some();
        for stream in [&connection.to_server, &connection.to_client] {
            let at = |offset: usize| stream.packet_at(offset).unwrap_or(connection.opened);
            if !is_tls && !evidence.recorded {
                if !whole {
                    free.wire("bytes of a TCP connection", at(0), &stream.bytes, Ears::ALL);
                }
                continue;
            }
            let mut start = 0;
            while let Some(&[content, _, _, high, low]) = stream.bytes.get(start..start + 5) {
                let end = start + 5 + usize::from(u16::from_be_bytes([high, low]));
                let record = stream.bytes.get(start + 5..end).unwrap_or_default();
                // Of a foreign capture nobody says that a record which did not open is not simply encrypted.
                if (!whole && evidence.recorded) || content != APPLICATION_DATA {
                    free.wire("a TLS record", at(start), record, Ears::ALL);
                }
                start = end;
            }
            let rest = stream.bytes.get(start..).unwrap_or_default();
            free.wire("bytes of a TCP connection", at(start), rest, Ears::ALL);
        }
    }
}
