//! Makes room for packets of Mallory's own in a stream that the forwarder sends.

use std::collections::BTreeMap;

use model::{Kind, Role};

use crate::engine::Incoming;

/// By receiver and kind: how many packets were added.
#[derive(Default)]
pub(super) struct Renumber {
    added: BTreeMap<(Role, Kind), u16>,
}

impl Renumber {
    /// A packet of the stream, behind everything that was added.
    pub(super) fn pass(&self, to: Role, packet: Incoming) -> Incoming {
        let added = self.added.get(&(to, packet.kind)).copied().unwrap_or(0);
        Incoming { sequence: packet.sequence.wrapping_add(added), ..packet }
    }

    /// A packet that is added behind `packet`, with the number after it.
    pub(super) fn add(&mut self, to: Role, packet: Incoming) -> Incoming {
        let added = self.added.entry((to, packet.kind)).or_default();
        *added = added.wrapping_add(1);
        Incoming { sequence: packet.sequence.wrapping_add(*added), ..packet }
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
        assert_eq!(numbers.pass(Role::Callee, packet(7)).sequence, 7);
    }
}
