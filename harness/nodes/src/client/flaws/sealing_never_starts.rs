//! Never starts to seal, and refuses what is not sealed.
//!
//! So a browser behaves whose sending transform is set too late: it takes the setting without an error, and every frame
//! leaves as the codec made it, while what arrives is opened as agreed. The lock is lit on both screens.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn leaves_open(&self, _: model::Kind, _: u32) -> bool {
        true
    }
}
