//! Small parts of what is kept of every stream, and how they grow.
//!
//! Invariant: a part that may hold so many has asked for memory twice when it does; streams are many, and each time
//! costs more than what is added.

/// Places that are made at first: many a stream ends with fewer.
const FEW: usize = 8;

/// Adds `value` to what holds `most` at the most; what it makes room for beyond [`FEW`] is room for all of them.
pub fn push<T>(to: &mut Vec<T>, most: usize, value: T) {
    if to.len() == to.capacity() {
        let room = if to.is_empty() { FEW.min(most) } else { most };
        to.reserve_exact(room.saturating_sub(to.len()).max(1));
    }
    to.push(value);
}

/// A whole number below 2^48, in six bytes: a packet's number or how many packets there are. A capture with more of
/// them has at least 4 PiB of record headers. Larger ones are cut to the largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Short([u8; 6]);

impl Short {
    /// The same number, or the largest that there is.
    pub fn of(number: u64) -> Self {
        let [bytes @ .., _, _] = number.min((1 << 48) - 1).to_le_bytes();
        Self(bytes)
    }

    /// The number.
    pub fn get(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_asked_for_twice_and_what_is_full_still_takes_more() {
        let (mut held, mut rooms) = (Vec::new(), Vec::new());
        for n in 0..64 {
            push(&mut held, 64, n);
            rooms.push(held.capacity());
        }
        rooms.dedup();
        assert_eq!(rooms, [8, 64]);
        push(&mut held, 64, 64);
        assert!(held.iter().copied().eq(0..=64));
    }

    #[rstest::rstest]
    #[case::nothing(0, 0)]
    #[case::more_than_32_bits(0x1_2345_6789, 0x1_2345_6789)]
    #[case::the_largest((1 << 48) - 1, (1 << 48) - 1)]
    #[case::larger(1 << 48, (1 << 48) - 1)]
    #[case::far_larger(u64::MAX, (1 << 48) - 1)]
    fn a_short_number_is_the_same_or_the_largest(#[case] number: u64, #[case] kept: u64) {
        assert_eq!(Short::of(number).get(), kept);
        assert_eq!(size_of::<Short>(), 6);
    }
}
