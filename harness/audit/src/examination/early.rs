//! Packets at the start of a stream that came before anything could protect them.
//!
//! Invariant: packets are called readable only when several begin alike, or nothing at all had keys when they were
//! sent; what came later is judged by its own bytes.

use super::keystreams::Start;
use super::listed::Listed;

/// Packets that begin alike by chance once in 2^40.
const ALIKE: usize = 6;
/// Packets that are looked at; windows of many packets show the rest.
const LOOKED_AT: usize = 16;

/// What came before the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Early {
    /// Packets that were sent in the clear.
    pub clear: Listed,
    /// Packets that no key of the handshake can protect, without a sign that they are readable.
    pub without_keys: Listed,
}

/// Finds the packets before the keys. `keyed`: the number of the packet with which the first of the two ends showed
/// that it had keys.
pub fn early(start: &Start, keyed: Option<u64>) -> Early {
    let heads: Vec<(u64, u8)> = start.heads().take(LOOKED_AT).collect();
    let Some((_, first)) = heads.first() else { return Early::default() };
    let before = heads.iter().filter(|(number, _)| keyed.is_some_and(|keyed| *number < keyed)).count();
    let alike = heads.iter().take_while(|(_, head)| head == first).count();
    // A stream that begins so throughout is judged as a whole.
    let ends = alike < heads.len();
    let clear = if before >= 2 && alike >= before { alike } else { 0 };
    let clear = if ends && (alike >= ALIKE || clear > 0) { alike } else { 0 };
    let numbers = |of: &[(u64, u8)]| of.iter().map(|(number, _)| *number).collect();
    Early {
        clear: numbers(heads.get(..clear).unwrap_or_default()),
        without_keys: numbers(heads.get(clear..before).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    fn start(heads: &[u8]) -> Start {
        let mut start = Start::default();
        for (number, head) in (1_u16..).zip(heads) {
            start.take(10 * u64::from(number), number, Some([*head, 0, 0, 0, 0, 0, 0, 0]));
        }
        start
    }

    #[rstest]
    #[case::several_before_keys_and_one_after(&[7, 7, 7, 9, 8], Some(25), &[10, 20, 30], &[])]
    #[case::one_before_keys(&[7, 9, 8], Some(15), &[], &[10])]
    #[case::unlike_ones_before_keys(&[7, 5, 9, 8], Some(25), &[], &[10, 20])]
    #[case::six_alike_without_a_handshake(&[7, 7, 7, 7, 7, 7, 9, 8], None, &[10, 20, 30, 40, 50, 60], &[])]
    #[case::five_alike_are_chance(&[7, 7, 7, 7, 7, 9, 8], None, &[], &[])]
    #[case::all_alike_are_judged_as_a_whole(&[7; 12], None, &[], &[])]
    #[case::keys_came_first(&[7, 7, 9], Some(5), &[], &[])]
    #[case::nothing(&[], Some(5), &[], &[])]
    fn what_came_before_keys_is_told(
        #[case] heads: &[u8],
        #[case] keyed: Option<u64>,
        #[case] clear: &[u64],
        #[case] without_keys: &[u64],
    ) {
        let found = early(&start(heads), keyed);
        assert_eq!(
            (found.clear.numbers.as_slice(), found.without_keys.numbers.as_slice()),
            (clear, without_keys)
        );
    }
}
