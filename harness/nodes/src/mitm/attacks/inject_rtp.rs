//! Adds RTP packets of her own.
//!
//! On the wire a packet with the header of a real one and a payload of Mallory's, without SRTP, arrives beside it. At
//! the forwarder such a payload goes out behind SRTP. It looks like Opus or VP8 and is sealed with nothing, so a
//! device in a sealed call does not play it.

use std::time::Duration;

use model::{Kind, Role};
use net::{Fate, InFlight};

use super::super::hand::media_kind;
use super::super::renumber::Renumber;
use super::{Attacker, Ends, Hand};
use crate::engine::Incoming;

#[derive(Default)]
pub(super) struct InjectRtp {
    numbers: Renumber,
}

/// Length of an RTP header without contributing sources and extension (RFC 3550 §5.1).
const HEADER: usize = 12;

/// Something that looks like a frame of a kind, with random bytes behind the start.
fn payload(hand: &Hand<'_>, kind: Kind) -> Vec<u8> {
    let start: &[u8] = match kind {
        // An Opus packet of one frame of 20 ms (RFC 6716 §3.1).
        Kind::Audio => &[0x78],
        // A payload descriptor and the start of a key frame (RFC 7741 §4.2, RFC 6386 §9.1).
        Kind::Video | Kind::Screen => &[0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a],
    };
    [start, &hand.scene.entropy.array::<80>()].concat()
}

impl Attacker for InjectRtp {
    fn datagram(&mut self, hand: &mut Hand<'_>, ends: Ends, datagram: &InFlight) -> Fate {
        let (Some(victim), Some(kind)) = (ends.to, media_kind(&datagram.bytes)) else { return Fate::Pass };
        if !hand.acts_on_media(victim, kind) {
            return Fate::Pass;
        }
        let Some(header) = datagram.bytes.get(..HEADER) else { return Fate::Pass };
        let mut forged = datagram.clone();
        forged.bytes = [header, &payload(hand, kind)].concat();
        hand.deed(victim, &forged.bytes, None, "an RTP packet without SRTP");
        Fate::Instead(vec![(Duration::ZERO, datagram.clone()), (Duration::ZERO, forged)])
    }

    fn packet(&mut self, hand: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        let victim = from.other();
        let mut out = vec![(victim, self.numbers.pass(victim, packet.clone()))];
        if hand.acts_on_media(victim, packet.kind) {
            let forged =
                Incoming { payload: payload(hand, packet.kind).into(), marker: packet.marker, ..packet };
            hand.deed(victim, &forged.payload, None, "a frame of her own behind SRTP");
            out.push((victim, self.numbers.add(victim, forged)));
        }
        out
    }
}
