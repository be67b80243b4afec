//! The whole built-in set, twins and judging included, by the wall clock (design, section 7).
//!
//! `cargo bench --bench set -- loopback` runs it over real sockets as well. On a machine that does other work too, half
//! of the processor time is what two free processors would at least take.

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
    let memory: Vec<Ran> = (0..RUNS).map(|_| run(&["--jobs", "2"])).collect();
    rows("in memory, 2 jobs", &memory, 15.0);
    if std::env::args().any(|argument| argument == "loopback") {
        rows("over loopback, 8 jobs", &[run(&["--net", "loopback", "--jobs", "8"])], 120.0);
    }
}

/// A run of the set.
struct Ran {
    wall: f64,
    /// None where the system does not tell.
    processor: Option<f64>,
    results: Results,
}

fn rows(how: &str, runs: &[Ran], bar: f64) {
    let totals = runs.first().expect("a run").results.totals;
    let others = totals.fail + totals.error + totals.inconclusive;
    let wall = median(runs.iter().map(|run| run.wall).collect());
    let (seconds, against) = (|seconds: f64| format!("{seconds:.2} s"), format!("{bar:.0} s"));
    let what = format!("the set {how}: {} pass, {others} do not", totals.pass);
    table::row(&what, &seconds(wall), &against, wall / bar, ..=1.0);
    let halves: Vec<f64> = runs.iter().filter_map(|run| Some(run.processor? / 2.0)).collect();
    if !halves.is_empty() {
        let half = median(halves);
        table::row("  half of its processor time", &seconds(half), &against, half / bar, ..);
    }
}

/// Runs the set of the binary once.
fn run(options: &[&str]) -> Ran {
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
    let (start, before) = (Instant::now(), of_children());
    let status = command.args(options).stdout(Stdio::null()).status().expect("the binary starts");
    let wall = start.elapsed().as_secs_f64();
    let processor = of_children().zip(before).map(|(after, before)| after - before);
    let results = results(&out.join("results.json"));
    assert!(!results.partial && results.lost.is_empty(), "the whole set ran ({status})");
    Ran { wall, processor, results }
}

/// Seconds of processor time of all children that have ended, to a hundredth; none where the system does not tell.
fn of_children() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name, which may hold anything: the state, ten fields, own time, children's time.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<f64>);
    ticks.collect::<Result<Vec<f64>, _>>().ok().map(|ticks| ticks.iter().sum::<f64>() / 100.0)
}

fn results(file: &Path) -> Results {
    let text = std::fs::read_to_string(file).expect("a run leaves its results");
    serde_json::from_str(&text).expect("results of this version")
}
