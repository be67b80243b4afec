//! The randomness that a node is given: a stream from one seed, so that a world can be run again.

use std::sync::Mutex;

use sha2::{Digest, Sha256};

/// A source of random bytes that its owner seeded.
pub struct Entropy {
    seed: [u8; 32],
    drawn: Mutex<u64>,
}

impl Entropy {
    /// The stream of `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, drawn: Mutex::new(0) }
    }

    /// A stream of its own for `label`, independent of what was drawn here.
    pub fn child(&self, label: &str) -> Self {
        Self::new(Sha256::new_with_prefix(self.seed).chain_update(label).finalize().into())
    }

    /// Fills `bytes`: block n is SHA-256(seed, n as u64 big endian).
    pub fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            let block = Sha256::new_with_prefix(self.seed).chain_update(drawn.to_be_bytes()).finalize();
            *drawn += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }

    /// An array of random bytes.
    pub fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream_and_children_give_others() {
        let (a, b) = (Entropy::new([1; 32]), Entropy::new([1; 32]));
        assert_eq!(a.array::<40>(), b.array::<40>());
        assert_ne!(a.array::<40>(), a.array::<40>());
        assert_eq!(a.child("x").array::<8>(), b.child("x").array::<8>());
        assert_ne!(a.child("x").array::<8>(), a.child("y").array::<8>());
        assert_eq!(format!("{a:?}"), "Entropy(…)");
    }
}
