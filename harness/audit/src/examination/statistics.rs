//! How likely random bytes look as structured as some bytes did.
//!
//! Invariant: every figure is an upper bound after correction for how often was looked (Bonferroni); figures of
//! several streams are compared by Holm's step-down procedure.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF};

/// At or below this corrected probability bytes are not random.
pub const THRESHOLD: f64 = 1e-9;
/// Family-wise error rate over all streams of an audit.
pub const FAMILY: f64 = 1e-6;
/// Bytes below which the statistic of 256 bins has no known distribution: five in each bin.
pub const POOLED_BYTES: u64 = 5 * 256;

/// A statistic of 256 bins below which nothing is remarkable: one in 31 random histograms lies above.
const UNREMARKABLE: f64 = 300.0;

/// Probability that of `n` random bytes at least `k` have the most frequent value, whichever it is.
pub fn mode(n: u64, k: u64) -> f64 {
    (256.0 * at_least(n, k)).min(1.0)
}

/// Probability that of `n` random bytes at least `k` have one given value.
pub fn at_least(n: u64, k: u64) -> f64 {
    if n == 0 || k == 0 {
        return 1.0;
    }
    Binomial::new(1.0 / 256.0, n).map_or(1.0, |one| one.sf(k - 1))
}

/// Probability that of `n` pairs of neighbouring random bytes at least `k` have the same upper four bits. Whatever the
/// first byte of a pair is, the second agrees once in 16, so pairs that share a byte are independent all the same.
pub fn neighbours(n: u64, k: u64) -> f64 {
    if n == 0 || k == 0 {
        return 1.0;
    }
    Binomial::new(1.0 / 16.0, n).map_or(1.0, |one| one.sf(k - 1))
}

/// Probability that random bytes lie as far from an even histogram as these counts; 1 where there are too few.
pub fn uneven(counts: &[u32; 256]) -> f64 {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    if total < POOLED_BYTES {
        return 1.0;
    }
    let expected = total as f64 / 256.0;
    // The same sum in whole numbers, which is quick; near the bound the exact order of the additions decides.
    let squares: u64 = counts.iter().map(|count| u64::from(*count) * u64::from(*count)).sum();
    if squares as f64 / expected - (total as f64) < UNREMARKABLE - 1.0 {
        return 1.0;
    }
    let statistic: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    if statistic < UNREMARKABLE {
        return 1.0;
    }
    ChiSquared::new(255.0).map_or(1.0, |even| even.sf(statistic))
}

/// Which of the probabilities are rejected together at [`FAMILY`], in the order given (Holm 1979).
pub fn rejected(probabilities: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    let of = |at: usize| probabilities.get(at).copied().unwrap_or(1.0);
    order.sort_by(|a, b| of(*a).total_cmp(&of(*b)));
    let mut rejected = vec![false; probabilities.len()];
    for (rank, at) in order.into_iter().enumerate() {
        if of(at) > FAMILY / (probabilities.len() - rank) as f64 {
            break;
        }
        if let Some(slot) = rejected.get_mut(at) {
            *slot = true;
        }
    }
    rejected
}

/// A probability for people: a power of ten.
pub fn told(probability: f64) -> String {
    if probability < 1e-300 { "below 10^-300".to_owned() } else { format!("10^{:.0}", probability.log10()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Sums of the binomial distribution, computed by another program with logarithms of the gamma function.
    #[rstest]
    #[case::all_of_eight(8, 8, 256.0 * 5.421_010_86e-20)]
    #[case::half_of_eight(8, 4, 256.0 * 1.609_541_08e-8)]
    #[case::seven_of_sixteen(16, 7, 256.0 * 1.539_453_81e-13)]
    #[case::ten_of_64(64, 10, 256.0 * 1.034_125_88e-13)]
    #[case::twelve_of_128(128, 12, 256.0 * 1.970_584_80e-13)]
    #[case::nothing(100, 0, 1.0)]
    #[case::no_bytes(0, 0, 1.0)]
    fn the_most_frequent_value_has_a_known_tail(#[case] n: u64, #[case] k: u64, #[case] expected: f64) {
        assert!((mode(n, k) / expected - 1.0).abs() < 1e-5, "{} instead of {expected}", mode(n, k));
    }

    /// Sums of the binomial distribution, computed by another program from exact fractions.
    #[rstest]
    #[case::a_quarter_of_a_packet(143, 36, 4.693_711_25e-13)]
    #[case::an_eighth_of_a_packet(143, 18, 3.674_922_22e-3)]
    #[case::all_of_four(4, 4, 1.0 / 65_536.0)]
    #[case::none(9, 0, 1.0)]
    #[case::no_pairs(0, 0, 1.0)]
    fn neighbours_have_a_known_tail(#[case] n: u64, #[case] k: u64, #[case] expected: f64) {
        assert!(
            (neighbours(n, k) / expected - 1.0).abs() < 1e-5,
            "{} instead of {expected}",
            neighbours(n, k)
        );
    }

    #[test]
    fn too_few_bytes_tell_nothing() {
        let mut counts = [0; 256];
        counts[7] = 1_279;
        assert!((uneven(&counts) - 1.0).abs() < f64::EPSILON);
        counts[7] += 1;
        assert!(uneven(&counts) < THRESHOLD);
    }

    /// Quantiles of chi-squared with 255 degrees of freedom: 330.52 leaves 0.001.
    #[test]
    fn an_even_histogram_is_not_uneven() {
        assert!((uneven(&[100; 256]) - 1.0).abs() < 1e-9);
        let mut counts = [100; 256];
        // A bin moved by d adds d^2 / 100 to the statistic.
        counts[0] += 145;
        counts[1] -= 100;
        counts[2] -= 45;
        assert!((uneven(&counts) / 0.001 - 1.0).abs() < 0.02, "{}", uneven(&counts));
    }

    #[rstest]
    #[case::none(&[], &[])]
    #[case::one(&[1e-7], &[true])]
    #[case::not_small_enough(&[1e-5], &[false])]
    #[case::stops_at_the_first(&[1e-9, 0.5, 6e-7], &[true, false, false])]
    #[case::steps_down(&[4e-7, 1e-9, 9e-7], &[true, true, true])]
    fn several_streams_are_corrected_for(#[case] probabilities: &[f64], #[case] expected: &[bool]) {
        assert_eq!(rejected(probabilities), expected);
    }
}
