//! Evidence built by hand for tests: captures, packets and keys. Never part of the judge.

mod capture_builder;
pub mod handshake;
pub mod plans;
pub mod seal;
pub mod signals;
pub mod story;
pub mod trial;

use sha2::{Digest, Sha256};

pub use capture_builder::CaptureBuilder;

/// Bytes that nobody can tell from random ones; others for each `n`.
pub fn noise(n: u32, length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|block| Sha256::digest([n.to_be_bytes(), block.to_be_bytes()].concat()).to_vec())
        .take(length)
        .collect()
}

/// The marker of a frame (design, section 1.7).
pub fn canary(call: &[u8; 16], sender: &str, kind: &str, n: u32) -> [u8; 32] {
    let mut hash = Sha256::new();
    let number = n.to_be_bytes();
    for item in [&b"overheard/1 canary"[..], call, sender.as_bytes(), kind.as_bytes(), &number] {
        hash.update(u16::try_from(item.len()).expect("short").to_be_bytes());
        hash.update(item);
    }
    hash.finalize().into()
}
