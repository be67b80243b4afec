//! The WebRTC engine behind words of our own: nothing outside this folder names `webrtc` or `rtc`.
//!
//! Invariant: time, sleeps, sockets and randomness reach the engine from its owner. The one exception is the
//! real bind that the engine cannot be kept from: it goes to 127.0.0.1, and the socket is dropped at once.

mod description;
mod peer;
mod provider;
mod runtime;

pub use description::fingerprints;
pub use peer::{Incoming, Outgoing, Peer, PeerSetup, PeerState, RelayUse, TrackSetup};

/// Where the secrets of a node's connections go: one line of an NSS key log each.
pub use net::KeySink;

/// Why the engine did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("the WebRTC engine refused to {deed} ({why}); this is a fault of the harness, please report it")]
pub struct EngineError {
    /// What was asked of it.
    pub deed: &'static str,
    /// What it said.
    pub why: String,
}

impl EngineError {
    fn at<E: std::fmt::Display>(deed: &'static str) -> impl Fn(E) -> Self {
        move |why| Self { deed, why: why.to_string() }
    }
}
