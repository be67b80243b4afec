//! Sends recorded media packets again.
//!
//! On the wire an SRTP packet arrives a second time 30 ms later, and the receiver drops it (RFC 3711 §3.3.2). At the
//! forwarder a frame is sent again in a packet with a number of its own, and only the frame layer can tell.

use std::time::Duration;

use model::Role;
use net::{Fate, InFlight};

use super::super::hand::media_kind;
use super::super::renumber::Renumber;
use super::{Attacker, Ends, Hand};
use crate::engine::Incoming;

/// How much later the copy is sent.
const LATER: Duration = Duration::from_millis(30);

#[derive(Default)]
pub(super) struct Replay {
    numbers: Renumber,
}

impl Attacker for Replay {
    fn datagram(&mut self, hand: &mut Hand<'_>, ends: Ends, datagram: &InFlight) -> Fate {
        let (Some(victim), Some(kind)) = (ends.to, media_kind(&datagram.bytes)) else { return Fate::Pass };
        if !hand.acts_on_media(victim, kind) {
            return Fate::Pass;
        }
        hand.deed(victim, &datagram.bytes, None, "an SRTP packet sent again");
        Fate::Instead(vec![(Duration::ZERO, datagram.clone()), (LATER, datagram.clone())])
    }

    fn packet(&mut self, hand: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        let victim = from.other();
        let mut out = vec![(victim, self.numbers.pass(victim, packet.clone()))];
        if hand.acts_on_media(victim, packet.kind) {
            hand.deed(victim, &packet.payload, None, "a frame sent again behind SRTP");
            out.push((victim, self.numbers.add(victim, packet)));
        }
        out
    }
}
