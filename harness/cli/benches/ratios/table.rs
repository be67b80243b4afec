//! The one table that all benchmarks print, row by row.
//!
//! Invariant: a row is met or not by its ratio and bar alone; nothing is rounded before that.

#![expect(clippy::print_stdout, reason = "printing is what a benchmark is for")]

use std::ops::{Bound, RangeBounds};

/// Prints the head of the table, with what the machine was busy with at this moment.
pub fn head() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let what = format!("what ({processors} processors, load {load})");
    println!("{what:<54} {:>15} {:>15} {:>7} {:>7}", "measured", "against", "ratio", "bar");
}

/// Prints a row: what was measured, the figure, the figure that it stands against, and their ratio with its bar,
/// `..=2.5`, `0.8..`, or `..` for a figure that only explains another.
pub fn row(what: &str, measured: &str, against: &str, ratio: f64, bar: impl RangeBounds<f64>) {
    let shown = match (bar.start_bound(), bar.end_bound()) {
        (_, Bound::Included(most) | Bound::Excluded(most)) => format!("≤ {most}"),
        (Bound::Included(least) | Bound::Excluded(least), _) => format!("≥ {least}"),
        _ => String::new(),
    };
    let met = match (shown.is_empty(), bar.contains(&ratio)) {
        (true, _) => "",
        (_, true) => "met",
        (_, false) => "not met",
    };
    println!("{what:<54} {measured:>15} {against:>15} {ratio:>7.2} {shown:>7}  {met}");
}
