//! `--shard i/n`: shares variants out by a hash of their ids, so that adding one moves no other.

use std::str::FromStr;

use sha2::{Digest, Sha256};

/// The part `index` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: u32,
    /// At least 1.
    pub of: u32,
}

/// A text that is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write i/n with i from 1 to n, such as 2/4")]
pub struct NoShard(pub String);

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, of)) if index >= 1 && index <= of => Ok(Self { index, of }),
            _ => Err(NoShard(text.to_owned())),
        }
    }
}

impl Shard {
    /// Whether `id` belongs to this part: the first 8 bytes of its SHA-256, big endian, modulo the parts.
    pub fn holds(self, id: &str) -> bool {
        let digest = Sha256::digest(id.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        number % u64::from(self.of) == u64::from(self.index - 1)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::zero("0/2")]
    #[case::beyond("3/2")]
    #[case::no_parts("1/0")]
    #[case::words("one/two")]
    #[case::alone("1")]
    #[case::negative("-1/2")]
    fn what_is_no_part_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Shard>(), Err(NoShard(text.to_owned())));
    }

    #[test]
    fn every_id_is_in_exactly_one_part() {
        for n in 0..200 {
            let id = format!("opt-in/table[n={n}]");
            let holders = (1..=5).filter(|i| Shard { index: *i, of: 5 }.holds(&id)).count();
            assert_eq!(holders, 1, "{id}");
            assert!(Shard { index: 1, of: 1 }.holds(&id));
        }
    }
}
