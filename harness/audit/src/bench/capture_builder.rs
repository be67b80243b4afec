//! Writes pcapng files block by block.

use std::net::{SocketAddr, SocketAddrV4};

use etherparse::PacketBuilder;

/// A capture in the making: little endian, one section, nanoseconds.
pub struct CaptureBuilder {
    bytes: Vec<u8>,
}

impl CaptureBuilder {
    /// A section with one Ethernet interface per name.
    pub fn new(taps: &[&str]) -> Self {
        let mut builder = Self { bytes: Vec::new() };
        let mut header = Vec::new();
        header.extend(0x1A2B_3C4Du32.to_le_bytes());
        header.extend([1, 0, 0, 0]);
        header.extend(u64::MAX.to_le_bytes());
        builder.block(0x0A0D_0D0A, &header);
        for tap in taps {
            let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0];
            body.extend(2u16.to_le_bytes());
            body.extend(u16::try_from(tap.len()).expect("short").to_le_bytes());
            body.extend(tap.bytes());
            body.resize(body.len().next_multiple_of(4), 0);
            body.extend([9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
            builder.block(1, &body);
        }
        builder
    }

    /// Adds a datagram that `interface` saw `at_ns` after 1970.
    pub fn udp(&mut self, interface: u32, at_ns: u64, source: &str, destination: &str, payload: &[u8]) {
        let (source, destination) = (v4(source), v4(destination));
        let packet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(source.ip().octets(), destination.ip().octets(), 64)
            .udp(source.port(), destination.port());
        let mut frame = Vec::new();
        packet.write(&mut frame, payload).expect("written");
        self.packet(interface, at_ns, &frame);
    }

    /// Adds a TCP segment.
    pub fn tcp(&mut self, interface: u32, at_ns: u64, ends: (&str, &str), sequence: u32, payload: &[u8]) {
        let (source, destination) = (v4(ends.0), v4(ends.1));
        let packet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(source.ip().octets(), destination.ip().octets(), 64)
            .tcp(source.port(), destination.port(), sequence, 65_535);
        let packet = if payload.is_empty() { packet.syn() } else { packet.ack(1) };
        let mut frame = Vec::new();
        packet.write(&mut frame, payload).expect("written");
        self.packet(interface, at_ns, &frame);
    }

    /// The file.
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn packet(&mut self, interface: u32, at_ns: u64, frame: &[u8]) {
        let length = u32::try_from(frame.len()).expect("short").to_le_bytes();
        let mut body = interface.to_le_bytes().to_vec();
        body.extend(u32::try_from(at_ns >> 32).expect("fits").to_le_bytes());
        body.extend(u32::try_from(at_ns & 0xFFFF_FFFF).expect("fits").to_le_bytes());
        body.extend(length);
        body.extend(length);
        body.extend(frame);
        body.resize(body.len().next_multiple_of(4), 0);
        self.block(6, &body);
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(body.len() + 12).expect("short").to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.extend(length);
    }
}

fn v4(text: &str) -> SocketAddrV4 {
    match text.parse().expect("an address") {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("tests use IPv4"),
    }
}
