//! Flips bits of media packets.
//!
//! On the wire one bit of the ciphertext of an SRTP packet is flipped, inside the service one bit of what comes out of
//! SRTP at the forwarder. A receiver drops the packet: SRTP authenticates it (RFC 3711 §3.3), SFrame the frame
//! (RFC 9605 §4.4.4).

use std::time::Duration;

use model::Role;
use net::{Fate, InFlight};

use super::super::hand::media_kind;
use super::{Attacker, Ends, Hand};
use crate::engine::Incoming;

pub(super) struct FlipBits;

/// First byte behind an RTP header without contributing sources and extension.
const BEHIND_HEADER: usize = 12;

impl Attacker for FlipBits {
    fn datagram(&mut self, hand: &mut Hand<'_>, ends: Ends, datagram: &InFlight) -> Fate {
        let (Some(victim), Some(kind)) = (ends.to, media_kind(&datagram.bytes)) else { return Fate::Pass };
        if !hand.acts_on_media(victim, kind) {
            return Fate::Pass;
        }
        let mut altered = datagram.clone();
        let Some(byte) = altered.bytes.get_mut(BEHIND_HEADER) else { return Fate::Pass };
        *byte ^= 1;
        hand.deed(victim, &altered.bytes, Some(&datagram.bytes), "one bit of an SRTP packet flipped");
        Fate::Instead(vec![(Duration::ZERO, altered)])
    }

    fn packet(&mut self, hand: &mut Hand<'_>, from: Role, mut packet: Incoming) -> Vec<(Role, Incoming)> {
        let victim = from.other();
        if hand.acts_on_media(victim, packet.kind) && !packet.payload.is_empty() {
            let mut payload = packet.payload.to_vec();
            if let Some(last) = payload.last_mut() {
                *last ^= 1;
            }
            hand.deed(victim, &payload, Some(&packet.payload), "one bit of a frame flipped behind SRTP");
            packet.payload = payload.into();
        }
        vec![(victim, packet)]
    }
}
