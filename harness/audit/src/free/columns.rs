//! Streams as tables: a row per packet, so that what is spread over packets, a byte or a bit in each, can be read.
//!
//! Invariant: rows are in the order of one tap, the first that saw the stream.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::capture::Class;
use crate::dissect;
use crate::evidence::Evidence;

/// Bytes of a packet in the clear that are looked at along columns.
const WIDEST: usize = 64;

/// What a packet shows without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its first bytes in the clear.
    pub bytes: Vec<u8>,
    /// Length of the whole datagram.
    pub length: usize,
    /// Nanoseconds from 1970.
    pub at_ns: u64,
    /// Index in the capture.
    pub packet: usize,
}

/// The packets of a stream, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What the packets are.
    pub name: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
}

type Stream = (SocketAddr, SocketAddr, Option<SocketAddr>, &'static str, u32);

pub(super) fn columns(evidence: &Evidence<'_>) -> Vec<Column> {
    let mut found: BTreeMap<Stream, (usize, Vec<Row>)> = BTreeMap::new();
    for datagram in &evidence.datagrams {
        let bytes = datagram.bytes(&evidence.capture);
        let (name, ssrc, clear) = match datagram.class {
            Class::Rtp | Class::Srtp => {
                let Some(header) = dissect::rtp::Header::parse(bytes) else { continue };
                ("RTP packets", header.ssrc, header.length)
            }
            Class::Stun => ("STUN messages", 0, bytes.len()),
            Class::Rtcp | Class::Srtcp => ("RTCP packets", 0, 8),
            _ => continue,
        };
        let flow = datagram.flow;
        let stream = (flow.source, flow.destination, flow.peer, name, ssrc);
        let (interface, rows) = found.entry(stream).or_insert_with(|| (flow.interface, Vec::new()));
        if *interface == flow.interface {
            let at_ns = evidence.capture.packets.get(datagram.packet).map_or(0, |packet| packet.at_ns);
            let bytes_in_clear = bytes.get(..clear.min(WIDEST)).unwrap_or(bytes).to_vec();
            let length = bytes.len();
            rows.push(Row { bytes: bytes_in_clear, length, at_ns, packet: datagram.packet });
        }
    }
    let streams = found.into_iter().map(|((.., name, _), (_, rows))| Column { name, rows });
    streams.collect()
}
