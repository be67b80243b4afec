//! The middle of what was measured: what a busy neighbour does to a few samples does not reach it.

/// The middle one; of an even number the mean of the two in the middle.
///
/// # Panics
/// Without any sample.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() % 2 {
        0 => f64::midpoint(samples[middle - 1], samples[middle]),
        _ => samples[middle],
    }
}
