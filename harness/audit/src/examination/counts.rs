//! How often each value of a window of packets was seen, in two bytes and six a value.
//!
//! Invariant: values stand in order, each once; past [`TOLD`] of them no further ones are told apart.

use super::few::Short;

/// Values that are told apart.
pub const TOLD: usize = 256;

/// Counts by value.
#[derive(Clone, Debug)]
pub struct Counts<K>(Vec<(K, Short)>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord + Copy> Counts<K> {
    /// Takes in the values of a window. Of those that are new the smallest come first, as long as there is room.
    pub fn take(&mut self, values: impl Iterator<Item = K>) {
        let mut new = Vec::new();
        for value in values {
            match self.0.binary_search_by_key(&value, |(known, _)| *known) {
                Ok(at) => self.add(at, 1),
                Err(_) if self.0.len() < TOLD => new.push(value),
                Err(_) => {}
            }
        }
        if new.is_empty() {
            return;
        }
        new.sort_unstable();
        let room = TOLD.saturating_sub(self.0.len());
        let counted = new.chunk_by(|a, b| a == b).take(room);
        self.0.extend(counted.filter_map(|same| Some((*same.first()?, Short::of(same.len() as u64)))));
        // Two runs, each in order, which this sort joins.
        self.0.sort_by_key(|(value, _)| *value);
    }

    fn add(&mut self, at: usize, more: u64) {
        if let Some((_, count)) = self.0.get_mut(at) {
            *count = Short::of(count.get() + more);
        }
    }

    /// Every value with its count, the smallest first.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.0.iter().map(|(value, count)| (*value, count.get()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn beyond_the_bound_only_known_values_count() {
        let mut counts = Counts::default();
        counts.take(0..250_u16);
        counts.take((0..300).rev());
        counts.take(200..300);
        let counts: Vec<(u16, u64)> = counts.iter().collect();
        assert_eq!(counts.len(), TOLD);
        assert_eq!((counts[199], counts[255]), ((199, 2), (255, 2)));
        assert_eq!((counts[200], counts[249], counts[250]), ((200, 3), (249, 3), (250, 2)));
    }

    proptest! {
        #[test]
        fn values_are_counted_as_a_map_counts_them(
            windows in proptest::collection::vec(proptest::collection::vec(0..400_u16, 0..64), 0..12),
        ) {
            let (mut counts, mut map) = (Counts::default(), BTreeMap::new());
            for window in &windows {
                counts.take(window.iter().copied());
                let mut window = window.clone();
                window.sort_unstable();
                for value in window {
                    if map.len() < TOLD || map.contains_key(&value) {
                        *map.entry(value).or_default() += 1;
                    }
                }
            }
            prop_assert!(counts.iter().eq(map));
        }
    }
}
