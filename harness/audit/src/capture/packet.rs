//! One recorded packet, down to its UDP or TCP payload.
//!
//! Invariant: every range lies within the frame that it came from.

use std::net::SocketAddr;
use std::ops::Range;

use super::class::Class;
use super::layers::{Depth, Layers};
use super::records::Record;

/// What stands directly above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp {
        /// Sequence number of the first payload byte, or of SYN or FIN.
        sequence: u32,
        /// SYN is set.
        syn: bool,
        /// FIN is set.
        fin: bool,
        /// RST is set.
        rst: bool,
    },
    /// Something else, a fragment, or nothing that can be read.
    Other,
}

/// A recorded packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Wireshark's packet number: from 1, in the order of the file.
    pub number: u64,
    /// Index of the interface in the capture.
    pub interface: usize,
    /// Nanoseconds from 1970.
    pub at_ns: u64,
    /// What stands above IP.
    pub transport: Transport,
    /// Sender's address and port; unspecified where there is none.
    pub source: SocketAddr,
    /// Receiver's address and port; unspecified where there is none.
    pub destination: SocketAddr,
    /// What it is, by its outermost UDP or TCP payload.
    pub class: Class,
    /// Fewer bytes were recorded than stood on the wire.
    pub cut: bool,
    pub(super) payload: Range<usize>,
    pub(super) frame: Range<usize>,
}

impl Packet {
    /// The packet of a record whose frame and payload stand at these places of the file.
    pub(super) fn of(
        record: &Record,
        layers: &Layers<'_>,
        frame: Range<usize>,
        payload: Range<usize>,
    ) -> Self {
        let class = match (layers.depth, layers.transport) {
            (Depth::Malformed, _) => Class::Malformed,
            (_, Transport::Udp) => Class::OtherUdp,
            (_, Transport::Tcp { .. }) => Class::OtherTcp,
            (_, Transport::Other) => Class::Other,
        };
        Self {
            number: record.number,
            interface: record.interface,
            at_ns: record.at_ns,
            transport: layers.transport,
            source: layers.source,
            destination: layers.destination,
            class,
            cut: record.cut,
            payload,
            frame,
        }
    }
}
