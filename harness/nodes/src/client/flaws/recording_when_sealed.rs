//! Records a sealed call when asked to.
//!
//! When recording is invoked in a sealed call, the client hands the base keys of the call to the service in the field
//! that the service carries without reading it, and the lock stays lit.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn lets_record(&self) -> bool {
        true
    }
}
