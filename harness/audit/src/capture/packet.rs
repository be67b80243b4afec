//! One recorded packet, down to its UDP or TCP payload.
//!
//! Invariant: every range lies within the frame that it came from.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

use super::class::Class;

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
    pub(super) payload: Range<usize>,
    pub(super) frame: Range<usize>,
}

/// Where and when a packet was seen.
pub(super) struct Seen {
    pub number: u64,
    pub interface: usize,
    pub at_ns: u64,
}

impl Packet {
    /// Slices the frame at `data` of the file `bytes`; what cannot be sliced stays without addresses.
    pub(super) fn dissect(bytes: &[u8], data: Range<usize>, linktype: Linktype, seen: Seen) -> Self {
        let nowhere = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0);
        let mut packet = Self {
            number: seen.number,
            interface: seen.interface,
            at_ns: seen.at_ns,
            transport: Transport::Other,
            source: nowhere,
            destination: nowhere,
            class: Class::Malformed,
            payload: data.end..data.end,
            frame: data.clone(),
        };
        let frame = bytes.get(data.clone()).unwrap_or_default();
        let sliced = match linktype {
            Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(frame).ok(),
            Linktype::RAW => LaxSlicedPacket::from_ip(frame).ok(),
            _ => None,
        };
        let Some(sliced) = sliced else { return packet };
        let Some((source, destination, fragmented)) = addresses(sliced.net.as_ref()) else {
            packet.class = Class::Other;
            return packet;
        };
        if fragmented {
            packet.class = Class::Other;
            return packet;
        }
        match sliced.transport {
            Some(TransportSlice::Udp(udp)) => {
                packet.transport = Transport::Udp;
                packet.source = SocketAddr::new(source, udp.source_port());
                packet.destination = SocketAddr::new(destination, udp.destination_port());
                packet.payload = super::offset_in(bytes, udp.payload(), udp.payload().len());
                packet.class =
                    if cut(udp.length(), udp.slice().len()) { Class::Malformed } else { Class::OtherUdp };
            }
            Some(TransportSlice::Tcp(tcp)) => {
                packet.transport = Transport::Tcp {
                    sequence: tcp.sequence_number(),
                    syn: tcp.syn(),
                    fin: tcp.fin(),
                    rst: tcp.rst(),
                };
                packet.source = SocketAddr::new(source, tcp.source_port());
                packet.destination = SocketAddr::new(destination, tcp.destination_port());
                packet.payload = super::offset_in(bytes, tcp.payload(), tcp.payload().len());
                packet.class = Class::OtherTcp;
            }
            Some(_) => packet.class = Class::Other,
            None => packet.class = if sliced.stop_err.is_some() { Class::Malformed } else { Class::Other },
        }
        packet
    }
}

/// Whether the header promises more than was recorded.
fn cut(promised: u16, recorded: usize) -> bool {
    usize::from(promised) > recorded
}

fn addresses(net: Option<&LaxNetSlice<'_>>) -> Option<(IpAddr, IpAddr, bool)> {
    match net? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let ends = (IpAddr::from(header.source()), IpAddr::from(header.destination()));
            Some((ends.0, ends.1, header.is_fragmenting_payload()))
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            let ends = (IpAddr::from(header.source()), IpAddr::from(header.destination()));
            Some((ends.0, ends.1, ip.payload().fragmented))
        }
        LaxNetSlice::Arp(_) => None,
    }
}
