//! Sends media before the handshake has begun.
//!
//! As soon as the other description is there, seven audio frames leave for its first candidate as RTP without SRTP, as
//! a phone with ZRTP was seen to do. Everybody on the path hears them; the rest of the call is sealed.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn frames_before_handshake(&self) -> u32 {
        7
    }
}
