//! Judges runs and captures with dissectors and cryptography of its own, and owns checks, requirements and the oracle.
//!
//! Invariant: no code is shared with the nodes that are judged; record, captures and keys are all that is read.

pub mod agreement;
pub mod any_bytes;
#[cfg(test)]
mod bench;
pub mod capture;
pub mod case;
pub mod checks;
pub mod dissect;
pub mod dtls13;
pub mod dtls_exporter;
pub mod evidence;
pub mod examination;
pub mod findings;
pub mod free;
pub mod guesses;
pub mod http;
pub mod judge;
pub mod key_file;
pub mod oracle;
pub mod plant;
pub mod requirement;
pub mod search;
pub mod self_test;
pub mod sframe;
pub mod srtp;
pub mod sweep;
pub mod tls13;
pub mod websocket;

mod vectors;

pub use judge::{Options, judge};
