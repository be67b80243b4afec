//! TCP connections of one interface, put together byte by byte, with the packet that carried each byte.
//!
//! Invariant: bytes behind a gap are left out, and the gap is told.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{Capture, Packet, Transport};

/// A connection as one interface saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Index of the interface.
    pub interface: usize,
    /// Who sent the first SYN, or the first segment where no SYN was seen.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// Index of the first packet in the capture.
    pub opened: usize,
    /// From the client to the server.
    pub to_server: Bytes,
    /// From the server to the client.
    pub to_client: Bytes,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// What was sent, without retransmissions.
    pub bytes: Vec<u8>,
    /// Whether something is missing behind these bytes.
    pub gap: bool,
    /// Start of each segment in `bytes` and the index of its packet in the capture.
    segments: Vec<(usize, usize)>,
    first: Option<u32>,
    waiting: BTreeMap<usize, (usize, Vec<u8>)>,
}

impl Bytes {
    /// Index of the packet that carried the byte at `offset`.
    pub fn packet_at(&self, offset: usize) -> Option<usize> {
        let after = self.segments.partition_point(|(start, _)| *start <= offset);
        self.segments.get(after.checked_sub(1)?).map(|(_, packet)| *packet)
    }

    fn take(&mut self, index: usize, sequence: u32, syn: bool, payload: &[u8]) {
        let sequence = if syn { sequence.wrapping_add(1) } else { sequence };
        let first = *self.first.get_or_insert(sequence);
        if payload.is_empty() {
            return;
        }
        // Relative to what has been put together, so that streams beyond 4 GiB of sequence space stay in order.
        let have = u32::try_from(self.bytes.len() & 0xFFFF_FFFF).unwrap_or(0);
        let ahead = sequence.wrapping_sub(first.wrapping_add(have)).cast_signed();
        let start = i64::try_from(self.bytes.len()).unwrap_or(i64::MAX) + i64::from(ahead);
        let Ok(start) = usize::try_from(start) else { return };
        self.waiting.entry(start).or_insert_with(|| (index, payload.to_vec()));
        while let Some((start, (index, payload))) = self.waiting.pop_first() {
            let have = self.bytes.len();
            if start > have {
                self.waiting.insert(start, (index, payload));
                break;
            }
            if let Some(fresh) = payload.get(have - start..).filter(|fresh| !fresh.is_empty()) {
                self.segments.push((have, index));
                self.bytes.extend_from_slice(fresh);
            }
        }
        self.gap = !self.waiting.is_empty();
    }
}

/// Puts together every TCP connection, per interface, in the order of their first packets.
pub fn connections(capture: &Capture) -> Vec<Connection> {
    let mut open: BTreeMap<(usize, SocketAddr, SocketAddr), usize> = BTreeMap::new();
    let mut found: Vec<Connection> = Vec::new();
    for (index, packet) in capture.packets.iter().enumerate() {
        let Transport::Tcp { sequence, syn, .. } = packet.transport else { continue };
        let ends = (packet.source.min(packet.destination), packet.source.max(packet.destination));
        let key = (packet.interface, ends.0, ends.1);
        let at = match open.get(&key) {
            Some(at) if !starts_again(&found, *at, packet, syn) => *at,
            _ => {
                found.push(fresh(index, packet));
                open.insert(key, found.len() - 1);
                found.len() - 1
            }
        };
        let Some(connection) = found.get_mut(at) else { continue };
        let from_client = connection.client == packet.source;
        let direction = if from_client { &mut connection.to_server } else { &mut connection.to_client };
        direction.take(index, sequence, syn, capture.payload(packet));
    }
    found
}

/// Whether `packet` opens a new connection between ends that had one before.
fn starts_again(found: &[Connection], at: usize, packet: &Packet, syn: bool) -> bool {
    let Some(connection) = found.get(at) else { return true };
    let used = !connection.to_server.bytes.is_empty() || !connection.to_client.bytes.is_empty();
    syn && used && packet.source == connection.client
}

fn fresh(index: usize, packet: &Packet) -> Connection {
    Connection {
        interface: packet.interface,
        client: packet.source,
        server: packet.destination,
        opened: index,
        to_server: Bytes::default(),
        to_client: Bytes::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(segments: &[(u32, &[u8])]) -> Bytes {
        let mut bytes = Bytes::default();
        bytes.take(0, 99, true, &[]);
        for (index, (sequence, payload)) in segments.iter().enumerate() {
            bytes.take(index + 1, *sequence, false, payload);
        }
        bytes
    }

    #[test]
    fn segments_out_of_order_and_twice_make_one_stream() {
        let bytes = taken(&[(100, b"ab"), (104, b"ef"), (102, b"cd"), (102, b"cd"), (105, b"fg")]);
        assert_eq!((bytes.bytes.as_slice(), bytes.gap), (&b"abcdefg"[..], false));
        assert_eq!([bytes.packet_at(0), bytes.packet_at(3), bytes.packet_at(5)], [Some(1), Some(3), Some(2)]);
    }

    #[test]
    fn bytes_behind_a_gap_are_left_out_and_told() {
        let bytes = taken(&[(100, b"ab"), (103, b"d")]);
        assert_eq!((bytes.bytes.as_slice(), bytes.gap), (&b"ab"[..], true));
    }

    #[test]
    fn a_segment_before_the_start_is_passed_over() {
        assert_eq!(taken(&[(50, b"zz"), (100, b"ab")]).bytes, b"ab");
    }

    #[test]
    fn sequence_numbers_go_round() {
        let mut bytes = Bytes::default();
        bytes.take(0, u32::MAX - 1, true, &[]);
        bytes.take(1, u32::MAX, false, b"ab");
        bytes.take(2, 1, false, b"cd");
        assert_eq!(bytes.bytes, b"abcd");
    }
}
