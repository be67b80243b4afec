//! A telephone that is called: a scripted leg inside the media processor, with a ledger of its own.
//!
//! Its device is written `NUMBER@pstn`. It has no link, no screen and no key: the public telephone network behind the
//! media processor is not modelled. It carries audio alone.

use std::collections::BTreeMap;

use model::identity::DeviceId;
use model::{Direction, Kind, Role, UserId};

use crate::bridge::Ground;
use crate::clip;
use crate::engine::Incoming;
use crate::entropy::Entropy;
use crate::packets::{Assembler, clock_rate, payloads};

/// What stands for the tenant of every telephone number.
pub const PSTN: &str = "pstn";

/// The telephone behind `number`, as ledgers and call records name it.
pub fn telephone(number: &str) -> DeviceId {
    DeviceId::only(UserId::new(number, PSTN))
}

/// A telephone in a call.
pub(super) struct Number {
    /// The name of its leg.
    pub(super) leg: String,
    device: DeviceId,
    call: String,
    id: [u8; 16],
    assemblers: BTreeMap<String, Assembler>,
    played: u32,
    said: u32,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Number {
    /// The telephone behind `number` in a call; none where the call id is none.
    pub(super) fn new(call: &str, number: &str, ground: &Ground) -> Option<Self> {
        let id = hex::decode(call).ok()?.try_into().ok()?;
        let device = telephone(number);
        let entropy: Entropy = ground.entropy.child(call).child(number);
        Some(Self {
            leg: device.to_string(),
            device,
            call: call.to_owned(),
            id,
            assemblers: BTreeMap::new(),
            played: 0,
            said: 0,
            ssrc: u32::from_be_bytes(entropy.array()).max(1),
            sequence: u16::from_be_bytes(entropy.array()),
            timestamp: u32::from_be_bytes(entropy.array()),
        })
    }

    /// Plays what a leg says; where that is the one that it `talks` with, it says a frame for each that it hears.
    pub(super) fn hears(
        &mut self,
        ground: &Ground,
        leg: &str,
        packet: &Incoming,
        talks: bool,
    ) -> Vec<Incoming> {
        let kind = packet.kind;
        if kind != Kind::Audio {
            let reason = "a telephone has no picture";
            ground.journal.dropped(ground.dropped_by, leg, &self.leg, &packet.payload, reason);
            return Vec::new();
        }
        let assembler = self.assemblers.entry(leg.to_owned()).or_default();
        let taken = assembler.take(kind, packet.sequence, packet.timestamp, packet.marker, &packet.payload);
        let Some(frame) = taken else { return Vec::new() };
        let journal = &ground.journal;
        journal.frame(&self.device, &self.call, Direction::Received, kind, self.played, &frame);
        self.played += 1;
        if !talks {
            return Vec::new();
        }
        let frame = clip::frame(&self.id, Role::Callee, kind, self.said);
        journal.frame(&self.device, &self.call, Direction::Sent, kind, self.said, &frame);
        self.said += 1;
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(clock_rate(kind) / kind.frames_per_second());
        let mut said = Vec::new();
        for (payload, marker) in payloads(kind, &frame) {
            let sequence = self.sequence;
            self.sequence = sequence.wrapping_add(1);
            let (ssrc, payload_type) = (self.ssrc, packet.payload_type);
            said.push(Incoming { kind, ssrc, marker, payload_type, sequence, timestamp, payload });
        }
        said
    }
}
