//! Plays sealed frames as they arrive, without opening them.
//!
//! So a receiver behaves that has no frame layer: the decoder takes ciphertext for Opus or VP8 and plays loud noise. A
//! meter of loudness takes it for speech; only the content tells.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn plays_sealed(&self) -> bool {
        true
    }
}
