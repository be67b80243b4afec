//! Lights the lock and seals nothing.
//!
//! The client goes through the whole agreement, shows lock and code, and sends every frame as the codec made it; it
//! plays frames that have no seal. Whoever ends the hop hears the call behind a lit lock.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn leaves_open(&self, _: model::Kind, _: u32) -> bool {
        true
    }

    fn plays_open(&self, _: model::Kind) -> bool {
        true
    }
}
