//! Makes room for packets of Mallory's own in a stream that the forwarder sends.

use std::collections::BTreeMap;

use model::{Kind, Role};

use crate::engine::Incoming;

/// By receiver and kind: the stream that the forwarder sends.
#[derive(Default)]
pub(super) struct Renumber {
    streams: BTreeMap<(Role, Kind), Stream>,
}

struct Stream {
    /// The number of the newest packet.
    newest: u16,
    /// How many packets were added.
    added: u16,
}

impl Renumber {
    /// Whether the receiver has got a packet of that stream.
    pub(super) fn has_begun(&self, to: Role, kind: Kind) -> bool {
        self.streams.contains_key(&(to, kind))
    }

    /// A packet of the stream, behind everything that was added.
    pub(super) fn pass(&mut self, to: Role, packet: Incoming) -> Incoming {
        let begins = Stream { newest: packet.sequence, added: 0 };
        let stream = self.streams.entry((to, packet.kind)).or_insert(begins);
        let sequence = packet.sequence.wrapping_add(stream.added);
        if sequence.wrapping_sub(stream.newest) < 1 << 15 {
            stream.newest = sequence;
        }
        Incoming { sequence, ..packet }
    }

    /// A packet that is added, with the number after the newest of the stream: one far from it would be taken for a
    /// packet of another round of numbers, and not open (RFC 3711 §3.3.1).
    pub(super) fn add(&mut self, to: Role, packet: Incoming) -> Incoming {
        let begins = Stream { newest: packet.sequence, added: 0 };
        let stream = self.streams.entry((to, packet.kind)).or_insert(begins);
        stream.added = stream.added.wrapping_add(1);
        stream.newest = stream.newest.wrapping_add(1);
        Incoming { sequence: stream.newest, ..packet }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_packet_takes_the_next_number_and_the_rest_moves_up() {
        let packet = |sequence| Incoming {
            kind: Kind::Audio,
            ssrc: 1,
            marker: false,
            payload_type: 111,
            sequence,
            timestamp: 0,
            payload: bytes::Bytes::new(),
        };
        let mut numbers = Renumber::default();
        let first = numbers.pass(Role::Caller, packet(u16::MAX)).sequence;
        let added = numbers.add(Role::Caller, packet(u16::MAX)).sequence;
        let second = numbers.pass(Role::Caller, packet(0)).sequence;
        assert_eq!((first, added, second), (u16::MAX, 0, 1));
        assert!(!numbers.has_begun(Role::Callee, Kind::Audio));
        assert_eq!(numbers.pass(Role::Callee, packet(7)).sequence, 7);
        // What comes from elsewhere has the numbers of another stream, and a late packet does not set the number back.
        assert_eq!(numbers.pass(Role::Callee, packet(6)).sequence, 6);
        assert_eq!(numbers.add(Role::Callee, packet(40_000)).sequence, 8);
        assert_eq!(numbers.pass(Role::Callee, packet(8)).sequence, 9);
        assert!(
            numbers.has_begun(Role::Callee, Kind::Audio) && !numbers.has_begun(Role::Callee, Kind::Video)
        );
    }
}
