//! Seals audio and leaves video open.
//!
//! Camera and screen leave the device as the codec made them, audio is sealed. A check that looks at audio alone
//! passes it.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn leaves_open(&self, kind: model::Kind, _: u32) -> bool {
        kind != model::Kind::Audio
    }

    fn plays_open(&self, kind: model::Kind) -> bool {
        kind != model::Kind::Audio
    }
}
