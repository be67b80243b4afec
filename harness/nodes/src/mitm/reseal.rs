//! Opens the frames of one leg and seals them for the other: what a man in the middle of the key agreement does.

use std::collections::BTreeMap;

use model::{Kind, Role};

use crate::agreement::{Agreed, key_id};
use crate::engine::Incoming;
use crate::packets::{Assembler, payloads};
use crate::sealing::{Opener, Sealer};

/// Keys of one leg; a leg without any is an ordinary one.
pub(super) struct Leg {
    agreed: Option<Agreed>,
}

impl Leg {
    pub(super) const fn sealed(agreed: Agreed) -> Self {
        Self { agreed: Some(agreed) }
    }

    pub(super) const fn ordinary() -> Self {
        Self { agreed: None }
    }

    fn opener(&self, sender: Role, kind: Kind) -> Option<Opener> {
        let agreed = self.agreed.as_ref()?;
        Opener::new(key_id(sender, kind), &agreed.base_key(sender, kind)).ok()
    }

    fn sealer(&self, sender: Role, kind: Kind) -> Option<Sealer> {
        let agreed = self.agreed.as_ref()?;
        Sealer::new(key_id(sender, kind), &agreed.base_key(sender, kind)).ok()
    }
}

/// One direction of one kind.
struct Stream {
    assembler: Assembler,
    opener: Option<Opener>,
    sealer: Option<Sealer>,
    next: Option<u16>,
}

/// Both legs of a call, frame by frame.
pub(super) struct Resealer {
    legs: [Leg; 2],
    streams: BTreeMap<(Role, Kind), Stream>,
}

impl Resealer {
    /// `legs` are the caller's and the callee's.
    pub(super) const fn new(legs: [Leg; 2]) -> Self {
        Self { legs, streams: BTreeMap::new() }
    }

    /// Takes a packet of the leg of `from`; gives the packets that go to the other leg once a frame is whole.
    pub(super) fn take(&mut self, from: Role, packet: &Incoming) -> Vec<Incoming> {
        let [caller, callee] = &self.legs;
        let (here, there) = match from {
            Role::Caller => (caller, callee),
            Role::Callee => (callee, caller),
        };
        let stream = self.streams.entry((from, packet.kind)).or_insert_with(|| Stream {
            assembler: Assembler::default(),
            opener: here.opener(from, packet.kind),
            sealer: there.sealer(from, packet.kind),
            next: None,
        });
        let first = *stream.next.get_or_insert(packet.sequence);
        let (sequence, timestamp) = (packet.sequence, packet.timestamp);
        let taken = stream.assembler.take(packet.kind, sequence, timestamp, packet.marker, &packet.payload);
        let Some(mut frame) = taken else { return Vec::new() };
        if let Some(opener) = &mut stream.opener {
            let Ok(opened) = opener.open(&frame) else { return Vec::new() };
            frame = opened;
        }
        if let Some(sealer) = &mut stream.sealer {
            let Ok(sealed) = sealer.seal(&frame) else { return Vec::new() };
            frame = sealed;
        }
        let out = payloads(packet.kind, &frame).into_iter().zip(0_u16..);
        let out: Vec<Incoming> = out
            .map(|((payload, marker), n)| Incoming {
                marker,
                sequence: first.wrapping_add(n),
                payload,
                ..packet.clone()
            })
            .collect();
        stream.next = Some(first.wrapping_add(u16::try_from(out.len()).unwrap_or(0)));
        out
    }
}
