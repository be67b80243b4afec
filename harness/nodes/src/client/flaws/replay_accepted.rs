//! Plays a frame as often as it arrives.
//!
//! The frame layer does not remember which counters it has opened. SRTP still refuses a packet that it has seen
//! (RFC 3711 §3.3.2; the engine cannot be told otherwise), so it takes somebody behind SRTP, inside the service, to
//! make the device play a frame again.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn refuses_replay(&self) -> bool {
        false
    }
}
