//! What is kept of a capture of any size for guesses, sweep and search: signalling, handshakes, and how each stream of
//! media begins.
//!
//! Invariant: what is kept is bounded, and what was left is counted.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::capture::class::{Class, of_datagram};
use crate::capture::{Capture, Packet, Transport};
use crate::dissect::rtp::Header;

/// Bounds of an excerpt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of TCP.
    pub tcp: usize,
    /// Bytes of media, and as many of what relays carry.
    pub media: usize,
    /// Bytes of all other datagrams.
    pub others: usize,
    /// Packets of each stream.
    pub packets: u32,
}

/// Packets with their bounds.
#[derive(Debug)]
pub struct Excerpt {
    bounds: Bounds,
    capture: Capture,
    /// Bytes of TCP, media, relayed datagrams and others.
    bytes: [usize; 4],
    streams: HashMap<(usize, SocketAddr, SocketAddr, u32), u32>,
    /// Packets that were left.
    left: u64,
}

impl Excerpt {
    /// An empty one.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, capture: Capture::default(), bytes: [0; 4], streams: HashMap::new(), left: 0 }
    }

    /// Takes one packet in, where there is room; `payload` is its UDP or TCP payload.
    pub fn take(&mut self, packet: &Packet, payload: &[u8]) {
        let class = match (packet.transport, packet.class) {
            (Transport::Udp, class) if class != Class::Malformed => of_datagram(payload, packet),
            (_, class) => class,
        };
        let Bounds { tcp, media, others, packets } = self.bounds;
        let (kind, most) = match (packet.transport, class) {
            (Transport::Other, _) | (_, Class::Malformed) => return,
            (Transport::Tcp { .. }, _) => (0, tcp),
            (_, Class::Rtp) => (1, media),
            (_, Class::TurnChannel) => (2, media),
            _ => (3, others),
        };
        let room = self.bytes.get(kind).is_some_and(|used| used + payload.len() <= most);
        if !room || !self.is_near_the_start(packet, payload, kind, packets) {
            self.left += 1;
            return;
        }
        if let Some(used) = self.bytes.get_mut(kind) {
            *used += payload.len();
        }
        self.capture.keep(packet, payload);
    }

    /// Counts the packets of media, of a relay's channels and of RTCP; of those many are alike.
    fn is_near_the_start(&mut self, packet: &Packet, payload: &[u8], kind: usize, most: u32) -> bool {
        let (name, most) = match kind {
            1 => (Header::parse(payload).map_or(0, |header| header.ssrc), most),
            // A channel carries several streams.
            2 => (0, most.saturating_mul(8)),
            _ => return true,
        };
        let stream = (packet.interface, packet.source, packet.destination, name);
        let count = self.streams.entry(stream).or_default();
        *count += 1;
        *count <= most
    }

    /// The packets as a capture, and how many were left.
    pub fn finish(self, interfaces: Vec<String>) -> (Capture, u64) {
        (self.capture.kept(interfaces), self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::CaptureBuilder;

    const BOUNDS: Bounds = Bounds { tcp: 100, media: 1_000, others: 100, packets: 3 };

    fn rtp(ssrc: u8, sequence: u8) -> Vec<u8> {
        [&[0x80, 111, 0, sequence, 0, 0, 0, 0, 0, 0, 0, ssrc][..], &[0x5A; 40]].concat()
    }

    fn excerpt(datagrams: &[Vec<u8>]) -> (Capture, u64) {
        let mut builder = CaptureBuilder::new(&["somewhere"]);
        for (at, datagram) in (1..).zip(datagrams) {
            builder.udp(0, at, "10.0.0.1:5000", "10.0.0.2:6000", datagram);
        }
        let whole = Capture::read(builder.bytes());
        let mut excerpt = Excerpt::new(BOUNDS);
        for packet in &whole.packets {
            excerpt.take(packet, whole.payload(packet));
        }
        excerpt.finish(whole.interfaces.clone())
    }

    #[test]
    fn every_stream_keeps_its_start_and_the_rest_is_counted() {
        let datagrams: Vec<Vec<u8>> = (0..10).map(|n| rtp(n % 2, n)).collect();
        let (capture, left) = excerpt(&datagrams);
        assert_eq!((capture.packets.len(), left), (6, 4));
        assert!(capture.packets.iter().all(|packet| packet.class == Class::Rtp));
    }

    #[test]
    fn one_kind_of_packet_does_not_take_the_room_of_another() {
        let mut datagrams = vec![vec![0x7F; 60]; 5];
        datagrams.push(rtp(1, 1));
        let (capture, left) = excerpt(&datagrams);
        assert_eq!((capture.packets.len(), left), (2, 4));
        assert_eq!(capture.payload(&capture.packets[1]), rtp(1, 1));
    }

    #[test]
    fn packets_keep_their_numbers() {
        let datagrams: Vec<Vec<u8>> =
            (0..5).map(|n| if n < 3 { vec![0x7F; 90] } else { rtp(1, n) }).collect();
        let numbers: Vec<u64> = excerpt(&datagrams).0.packets.iter().map(|packet| packet.number).collect();
        assert_eq!(numbers, [1, 4, 5]);
    }
}
