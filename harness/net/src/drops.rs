//! The chain of interceptors, and the record of what was not delivered.
//!
//! Invariant: every datagram that enters the chain leaves it, is replaced by what an interceptor said, or is among
//! the drops.

use std::net::SocketAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::network::{DroppedDatagram, Fate, InFlight, Interceptor};

/// The network lost it, as its options ask.
pub(crate) const LOST: &str = "lost by the network";
/// It arrived at a port that no socket holds.
pub(crate) const NOBODY_LISTENED: &str = "nobody listened";
/// An interceptor or an injection made something that is no IPv4 datagram.
pub(crate) const CANNOT_BE_CARRIED: &str = "not a datagram that this network carries";

/// The system's buffer was full, or it refused for another reason.
pub(crate) const NOT_TAKEN: &str = "not taken by the system";
/// The receiver never read it, or the system lost it.
pub(crate) const NOT_RECEIVED: &str = "not received";

/// What left the chain.
pub(crate) struct Outcome {
    pub(crate) onward: Vec<Onward>,
    pub(crate) drops: Vec<DroppedDatagram>,
}

/// A datagram that goes on.
pub(crate) struct Onward {
    pub(crate) delay: Duration,
    pub(crate) datagram: InFlight,
    /// Whether every interceptor let it pass.
    pub(crate) untouched: bool,
}

/// Sends a datagram through the chain; what an interceptor puts in its place goes through the later ones.
pub(crate) fn intercepted(
    interceptors: &mut [Box<dyn Interceptor>],
    at: Duration,
    datagram: InFlight,
) -> Outcome {
    let mut onward = vec![Onward { delay: Duration::ZERO, datagram, untouched: true }];
    let mut drops = Vec::new();
    for interceptor in interceptors {
        let mut next = Vec::with_capacity(onward.len());
        for one in onward {
            match interceptor.datagram(at, &one.datagram) {
                Fate::Pass => next.push(one),
                Fate::Instead(others) => next.extend(others.into_iter().map(|(delay, datagram)| Onward {
                    delay: one.delay.saturating_add(delay),
                    datagram,
                    untouched: false,
                })),
                Fate::Drop(reason) => {
                    let InFlight { source, destination, bytes, .. } = &one.datagram;
                    drops.push(dropped(at, *source, *destination, bytes, reason));
                }
            }
        }
        onward = next;
    }
    Outcome { onward, drops }
}

pub(crate) fn dropped(
    at: Duration,
    source: SocketAddr,
    destination: SocketAddr,
    bytes: &[u8],
    reason: &'static str,
) -> DroppedDatagram {
    DroppedDatagram { at, source, destination, sha256: Sha256::digest(bytes).into(), reason }
}
