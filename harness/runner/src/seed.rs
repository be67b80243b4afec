//! The seed of each variant: SHA-256(seed, id), so that filters and shards change nothing.

use sha2::{Digest, Sha256};

/// The seed of the variant or twin `id` in a run with `seed`: SHA-256 over the seed as u64 big endian, then the id.
pub fn variant_seed(seed: u64, id: &str) -> [u8; 32] {
    Sha256::new_with_prefix(seed.to_be_bytes()).chain_update(id).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_and_id_both_count() {
        assert_eq!(variant_seed(0, "a"), variant_seed(0, "a"));
        assert_ne!(variant_seed(0, "a"), variant_seed(1, "a"));
        assert_ne!(variant_seed(0, "a"), variant_seed(0, "b"));
    }
}
