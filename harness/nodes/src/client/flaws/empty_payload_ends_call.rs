//! Takes a packet without payload for a forged frame.
//!
//! Packets without payload are sent by honest stacks, as padding and to probe for bandwidth. This client takes the
//! first one that arrives for a frame that does not open, and ends the call.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn ends_on_empty_payload(&self) -> bool {
        true
    }
}
