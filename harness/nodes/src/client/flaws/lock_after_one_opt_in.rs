//! Lights the lock when one party alone has opted in.
//!
//! The caller's screen shows the lock as soon as the call is answered if the caller has turned the option on, whatever
//! the callee has. The call is an ordinary one, and the service hears it.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn lights_lock_alone(&self) -> bool {
        true
    }
}
