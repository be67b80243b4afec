//! Sets the frame counter back during the call.
//!
//! After 40 frames of a kind the counter starts at 0 again under the same key, so that 40 pairs of frames share a
//! nonce. With AES-GCM that gives away the difference of the two plaintexts and the authentication key.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn restarts_after(&self) -> Option<u64> {
        Some(40)
    }
}
