//! Starts to seal after two seconds.
//!
//! So a browser behaves whose sending transform takes effect only when the stream has run for a while: the first two
//! seconds of every kind leave as the codec made them. A frame without a seal is played. Whoever looks at the end of
//! the call finds it sealed.

pub(super) struct Behaviour;

impl super::Deviation for Behaviour {
    fn leaves_open(&self, kind: model::Kind, n: u32) -> bool {
        n < 2 * kind.frames_per_second()
    }

    fn plays_open(&self, _: model::Kind) -> bool {
        true
    }
}
