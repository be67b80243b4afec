//! The whole built-in set, twins and judging included, by the wall clock (design, section 7).
//!
//! `cargo bench --bench set -- loopback` runs it over real sockets as well.

#[path = "ratios/median.rs"]
mod median;
#[path = "ratios/table.rs"]
mod table;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use median::median;
use model::results::Results;

/// Runs in memory; the one in the middle counts.
const RUNS: usize = 3;

fn main() {
    table::head();
    let memory: Vec<(f64, Results)> = (0..RUNS).map(|_| run(&["--jobs", "2"])).collect();
    row("in memory, 2 jobs", &memory, 15.0);
    if std::env::args().any(|argument| argument == "loopback") {
        row("over loopback, 8 jobs", &[run(&["--net", "loopback", "--jobs", "8"])], 120.0);
    }
}

fn row(how: &str, runs: &[(f64, Results)], bar: f64) {
    let seconds = median(runs.iter().map(|(seconds, _)| *seconds).collect());
    let totals = runs.first().expect("a run").1.totals;
    let others = totals.fail + totals.error + totals.inconclusive;
    let what = format!("the set {how}: {} pass, {others} do not", totals.pass);
    table::row(&what, &format!("{seconds:.2} s"), &format!("{bar:.0} s"), seconds / bar, ..=1.0);
}

/// Seconds that one run of the set takes, and what it came to.
fn run(options: &[&str]) -> (f64, Results) {
    // Where no `scenarios` lies, so that the set is the one in the binary.
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let mut command = Command::new(env!("CARGO_BIN_EXE_overheard"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OVERHEARD_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder.path()).args(["run", "--quiet", "--sweep", "light", "--out"]).arg(&out);
    let start = Instant::now();
    let status = command.args(options).stdout(Stdio::null()).status().expect("the binary starts");
    let seconds = start.elapsed().as_secs_f64();
    let results = results(&out.join("results.json"));
    assert!(!results.partial && results.lost.is_empty(), "the whole set ran ({status})");
    (seconds, results)
}

fn results(file: &Path) -> Results {
    let text = std::fs::read_to_string(file).expect("a run leaves its results");
    serde_json::from_str(&text).expect("results of this version")
}
