//! Plays frames that have no seal.
//!
//! So a browser behaves whose receiving transform is set too late and silently left out: the client seals what it sends,
//! and what arrives goes to the decoder when it has no seal. Whoever ends the hop can speak to the user.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn plays_open(&self, _: model::Kind) -> bool {
        true
    }
}
