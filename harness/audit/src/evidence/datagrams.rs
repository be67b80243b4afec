//! Datagrams with TURN taken off: what each end means for the other.
//!
//! Invariant: a datagram keeps the packet that carried it, and nothing is changed in its bytes.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::ops::Range;

use crate::capture::class::of_datagram;
use crate::capture::{Capture, Class, Transport};
use crate::dissect::{dtls, stun, turn};

/// One direction between two ends on one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// Index of the interface.
    pub interface: usize,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// The far end, where a TURN server stands between.
    pub peer: Option<SocketAddr>,
}

impl Flow {
    /// The other direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }

    /// Both directions under one name.
    #[must_use]
    pub fn undirected(self) -> Self {
        if self.source <= self.destination { self } else { self.reversed() }
    }
}

/// A datagram that is for the other end.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Index of its packet in the capture.
    pub packet: usize,
    /// Whose it is.
    pub flow: Flow,
    /// What it is by itself; RTP stands for SRTP as well.
    pub class: Class,
    /// Where it lies in the UDP payload.
    pub range: Range<usize>,
}

impl Datagram {
    /// Its bytes.
    pub fn bytes<'a>(&self, capture: &'a Capture) -> &'a [u8] {
        let packet = capture.packets.get(self.packet);
        packet.and_then(|p| capture.payload(p).get(self.range.clone())).unwrap_or_default()
    }
}

/// Every UDP datagram of the capture in its order.
pub fn datagrams(capture: &Capture) -> Vec<Datagram> {
    let mut channels: HashMap<(SocketAddr, SocketAddr, u16), SocketAddr> = HashMap::new();
    let mut found = Vec::new();
    for (index, packet) in capture.packets.iter().enumerate() {
        if packet.transport != Transport::Udp || packet.class == Class::Malformed {
            continue;
        }
        let payload = capture.payload(packet);
        let mut flow = Flow {
            interface: packet.interface,
            source: packet.source,
            destination: packet.destination,
            peer: None,
        };
        let mut range = 0..payload.len();
        match packet.class {
            Class::Stun => {
                let Some(message) = stun::Message::parse(payload) else { continue };
                if let Some((number, peer)) = turn::channel_bind(&message) {
                    channels.insert((packet.source, packet.destination, number), peer);
                }
                if let Some((peer, data)) = turn::indication(&message) {
                    flow.peer = Some(peer);
                    range = inside(payload, data);
                }
            }
            Class::TurnChannel => {
                let Some((number, data)) = turn::channel_data(payload) else { continue };
                let ends = [(packet.source, packet.destination), (packet.destination, packet.source)];
                flow.peer = ends
                    .iter()
                    .find_map(|(client, server)| channels.get(&(*client, *server, number)))
                    .copied();
                range = inside(payload, data);
            }
            _ => {}
        }
        let class = of_datagram(payload.get(range.clone()).unwrap_or_default(), packet);
        found.push(Datagram { packet: index, flow, class, range });
    }
    protected_records(capture, &mut found);
    found
}

/// A protected record of DTLS 1.3 begins with bits that only a handshake on the same way tells from anything else
/// (RFC 9147 §4).
fn protected_records(capture: &Capture, datagrams: &mut [Datagram]) {
    let shaken = datagrams.iter().filter(|datagram| datagram.class == Class::Dtls);
    let shaken: BTreeSet<Flow> = shaken.map(|datagram| datagram.flow.undirected()).collect();
    for datagram in datagrams.iter_mut().filter(|datagram| datagram.class == Class::OtherUdp) {
        if shaken.contains(&datagram.flow.undirected()) && dtls::is_unified(datagram.bytes(capture)) {
            datagram.class = Class::Dtls;
        }
    }
}

fn inside(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::CaptureBuilder;

    const CLIENT: &str = "10.0.0.1:5000";
    const RELAY: &str = "10.0.0.9:3478";

    /// A TURN message with XOR-PEER-ADDRESS 10.0.0.2:6000 and one more attribute.
    fn message(kind: u16, attribute: u16, value: &[u8]) -> Vec<u8> {
        let mut body = vec![0, 0x12, 0, 8, 0, 1];
        body.extend((6_000u16 ^ 0x2112).to_be_bytes());
        body.extend((u32::from_be_bytes([10, 0, 0, 2]) ^ stun::MAGIC_COOKIE).to_be_bytes());
        body.extend(attribute.to_be_bytes());
        body.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
        body.extend(value);
        body.resize(body.len().next_multiple_of(4), 0);
        let mut message = kind.to_be_bytes().to_vec();
        message.extend(u16::try_from(body.len()).expect("short").to_be_bytes());
        message.extend(stun::MAGIC_COOKIE.to_be_bytes());
        message.extend([0; 12]);
        message.extend(body);
        message
    }

    #[test]
    fn what_turn_carries_is_for_the_peer_in_both_directions() {
        let rtp = [0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9];
        let mut builder = CaptureBuilder::new(&["alice@contoso.example"]);
        builder.udp(0, 1, CLIENT, RELAY, &message(0x0016, 0x0013, &rtp));
        builder.udp(0, 2, CLIENT, RELAY, &message(0x0009, 0x000C, &[0x40, 1, 0, 0]));
        let channel = [&[0x40, 1, 0, 13][..], &rtp].concat();
        builder.udp(0, 3, CLIENT, RELAY, &channel);
        builder.udp(0, 4, RELAY, CLIENT, &channel);
        let capture = Capture::read(builder.bytes());
        let found = datagrams(&capture);
        let carried: Vec<_> = found.iter().filter(|d| d.class == Class::Rtp).collect();
        assert_eq!(carried.len(), 3);
        for datagram in &carried {
            assert_eq!(datagram.bytes(&capture), rtp);
            assert_eq!(datagram.flow.peer, Some("10.0.0.2:6000".parse().expect("an address")));
        }
        assert_eq!(carried[1].flow.undirected(), carried[2].flow.undirected());
    }

    #[test]
    fn a_record_of_dtls_13_is_one_where_two_have_shaken_hands() {
        let hello = [&[22, 0xFE, 0xFD][..], &[0; 10]].concat();
        let record = [&[0x2E, 0, 1, 0, 17][..], &[7; 17]].concat();
        let classes = |datagrams: &[(&str, &str, &[u8])]| {
            let mut builder = CaptureBuilder::new(&["alice@contoso.example"]);
            for (at, (source, destination, bytes)) in (0..).zip(datagrams) {
                builder.udp(0, at, source, destination, bytes);
            }
            let capture = Capture::read(builder.bytes());
            let of_packets: Vec<Class> = capture.packets.iter().map(|packet| packet.class).collect();
            let of_datagrams: Vec<Class> = datagrams_of(&capture);
            assert_eq!(of_packets, of_datagrams);
            of_packets
        };
        let (here, there) = ("10.0.0.1:5000", "10.0.0.2:6000");
        let answered =
            classes(&[(here, there, &hello), (there, here, &record), (there, here, &record[..21])]);
        assert_eq!(answered, [Class::Dtls, Class::Dtls, Class::OtherUdp]);
        let strange = classes(&[(here, there, &record), (here, "10.0.0.2:6001", &hello)]);
        assert_eq!(strange, [Class::OtherUdp, Class::Dtls]);
    }

    fn datagrams_of(capture: &Capture) -> Vec<Class> {
        datagrams(capture).iter().map(|datagram| datagram.class).collect()
    }

    #[test]
    fn a_channel_that_nobody_bound_has_no_peer() {
        let mut builder = CaptureBuilder::new(&["alice@contoso.example"]);
        builder.udp(0, 1, CLIENT, RELAY, &[0x40, 1, 0, 1, 7]);
        let capture = Capture::read(builder.bytes());
        assert_eq!(datagrams(&capture)[0].flow.peer, None);
    }
}
