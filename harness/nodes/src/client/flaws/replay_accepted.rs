//! Plays a frame as often as it arrives.
//!
//! Neither SRTP (RFC 3711 §3.3.2) nor the frame layer remembers what it has opened. Whoever resends a packet makes
//! the device play it again.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn refuses_replay(&self) -> bool {
        false
    }
}
