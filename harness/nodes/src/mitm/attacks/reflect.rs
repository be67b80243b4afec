//! Sends a device its own media packets.
//!
//! On the wire an SRTP packet of the device comes back to it, as if the other end had sent it; keys for each direction
//! make it fail (RFC 5764 §4.2). At the forwarder the device's own frame comes back to it behind SRTP; keys for each
//! sender make it fail.

use std::time::Duration;

use model::Role;
use net::{Fate, InFlight};

use super::super::hand::media_kind;
use super::super::renumber::Renumber;
use super::{Attacker, Ends, Hand};
use crate::engine::Incoming;

#[derive(Default)]
pub(super) struct Reflect {
    numbers: Renumber,
}

impl Attacker for Reflect {
    fn datagram(&mut self, hand: &mut Hand<'_>, ends: Ends, datagram: &InFlight) -> Fate {
        let (Some(victim), Some(kind)) = (ends.from, media_kind(&datagram.bytes)) else { return Fate::Pass };
        if !hand.acts_on_media(victim, kind) {
            return Fate::Pass;
        }
        let back = InFlight {
            from: datagram.to.clone().unwrap_or_default(),
            to: Some(datagram.from.clone()),
            source: datagram.destination,
            destination: datagram.source,
            bytes: datagram.bytes.clone(),
        };
        hand.deed(victim, &back.bytes, None, "its own SRTP packet sent back");
        Fate::Instead(vec![(Duration::ZERO, datagram.clone()), (Duration::ZERO, back)])
    }

    fn packet(&mut self, hand: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        let to = from.other();
        let mut out = vec![(to, self.numbers.pass(to, packet.clone()))];
        // Before anything was sent to the device there is no stream that the frame could come back in.
        if self.numbers.has_begun(from, packet.kind) && hand.acts_on_media(from, packet.kind) {
            hand.deed(from, &packet.payload, None, "its own frame sent back behind SRTP");
            out.push((from, self.numbers.add(from, packet)));
        }
        out
    }
}
