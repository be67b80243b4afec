//! Leaves one frame in twenty unsealed.
//!
//! Frames 7, 27, 47, … of every kind leave the device as the codec made them, and a frame without a seal is played.
//! An average over the stream looks encrypted; only a look at every single frame finds it.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn leaves_open(&self, _: model::Kind, n: u32) -> bool {
        n % 20 == 7
    }

    fn plays_open(&self, _: model::Kind) -> bool {
        true
    }
}
