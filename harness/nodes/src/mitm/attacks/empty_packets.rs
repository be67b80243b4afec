//! Adds RTP packets without payload.
//!
//! Stacks send such packets while they look for bandwidth, and so do forwarders. At the forwarder they go out behind
//! SRTP; on the wire a bare header arrives, which no SRTP protects. Neither is a frame, so nothing is played, and a
//! device that takes them for forgeries ends calls in which nobody forged anything.

use std::time::Duration;

use model::Role;
use net::{Fate, InFlight};

use super::super::hand::media_kind;
use super::super::renumber::Renumber;
use super::{Attacker, Ends, Hand};
use crate::engine::Incoming;

#[derive(Default)]
pub(super) struct EmptyPackets {
    numbers: Renumber,
}

/// Length of an RTP header without contributing sources and extension (RFC 3550 §5.1).
const HEADER: usize = 12;

impl Attacker for EmptyPackets {
    fn datagram(&mut self, hand: &mut Hand<'_>, ends: Ends, datagram: &InFlight) -> Fate {
        let (Some(victim), Some(kind)) = (ends.to, media_kind(&datagram.bytes)) else { return Fate::Pass };
        if !hand.acts_on_media(victim, kind) {
            return Fate::Pass;
        }
        let Some(header) = datagram.bytes.get(..HEADER) else { return Fate::Pass };
        let mut bare = datagram.clone();
        bare.bytes = header.to_vec();
        hand.deed(victim, &bare.bytes, None, "an RTP header alone");
        Fate::Instead(vec![(Duration::ZERO, datagram.clone()), (Duration::ZERO, bare)])
    }

    fn packet(&mut self, hand: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        let victim = from.other();
        let mut out = vec![(victim, self.numbers.pass(victim, packet.clone()))];
        if hand.acts_on_media(victim, packet.kind) {
            let empty = Incoming { payload: bytes::Bytes::new(), ..packet };
            hand.deed(victim, &empty.payload, None, "an RTP packet without payload behind SRTP");
            out.push((victim, self.numbers.add(victim, empty)));
        }
        out
    }
}
