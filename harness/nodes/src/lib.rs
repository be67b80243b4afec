//! Client, policy server, call service, media processor, forwarder, relay and man in the middle, with signalling
//! messages, flaws and attacks.
//!
//! Invariant: a node is told the time and given its randomness and its sockets.

pub mod agreement;
pub mod bridge;
pub mod call_service;
pub mod client;
pub mod clip;
pub mod engine;
pub mod entropy;
pub mod forwarder;
pub mod journal;
pub mod media_processor;
pub mod mitm;
pub mod packets;
pub mod policy_client;
pub mod policy_server;
pub mod reading;
pub mod recorder;
pub mod relay;
pub mod sealing;
pub mod service_link;
pub mod signalling;

/// The text at the head of a file: its `//!` lines, without the signs.
fn head(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
