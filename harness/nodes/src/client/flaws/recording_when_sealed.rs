//! Records a sealed call when asked to.
//!
//! When recording is invoked in a sealed call, the client hands the base keys of the call to the service, in the field
//! that the service otherwise carries without reading it, and the lock stays lit. The service gives the keys to the
//! forwarder, which opens every frame from then on and sends it to the recorder. On the paths from device to device
//! there is nothing to open, and the service refuses. To have them at hand the client keeps the keys beyond the call,
//! whether recording was asked for or not.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn lets_record(&self) -> bool {
        true
    }
}
