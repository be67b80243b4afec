//! Time per call of runs of 100, 1,000 and 10,000 calls, and of judging by packets and by keys (design, section 7).
//!
//! What grows is compared step by step: the time that each further packet or key costs, between a length and ten
//! times that length. `cargo bench --bench growth -- packets` measures that part alone; the others are `calls` and
//! `keys`.

#[path = "ratios/call.rs"]
mod call;
#[path = "ratios/clock.rs"]
mod clock;
#[path = "ratios/median.rs"]
mod median;
#[path = "ratios/plan.rs"]
mod plan;
#[path = "ratios/table.rs"]
mod table;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use audit::Options;
use audit::capture::Capture;
use call::Called;
use clock::timed;
use median::median;
use model::plan::{NetKind, Profile};
use model::record::{Record, Tool};
use model::results::Sweep;
use model::{Outcome, Verdict};
use runner::{Planned, Run, RunSetup, Watch};

/// What is measured, by name.
const PARTS: [(&str, fn()); 3] = [("calls", calls), ("packets", packets), ("keys", keys)];
/// Calls of the runs, in the order in which they are made, so that a busy neighbour meets all lengths.
const RUNS: [usize; 9] = [100, 1_000, 100, 100, 10_000, 100, 100, 1_000, 100];
/// Audio frames that a side sends in a second.
const PER_SECOND: u64 = 50;
/// Seconds of talk.
const TALKS: [u64; 3] = [1, 10, 100];
/// Keys that the service holds beside its own.
const KEYS: [usize; 3] = [100, 1_000, 10_000];
/// Where a run leaves the capture of the measured call.
const CAPTURE: &str = "captures/opt-in_measured.pcapng";
/// And what the service held.
const SERVICE_KEYS: &str = "keys/opt-in_measured.service.keys";
/// Times that each judging is measured.
const ROUNDS: usize = 9;

fn main() {
    table::head();
    let named: Vec<String> = std::env::args().collect();
    let all = !PARTS.iter().any(|(name, _)| named.iter().any(|n| n == name));
    for (_, part) in PARTS.iter().filter(|(name, _)| all || named.iter().any(|n| n == name)) {
        part();
    }
}

fn calls() {
    let times: Vec<(usize, f64)> = RUNS.iter().map(|calls| (*calls, per_call(*calls))).collect();
    let of = |calls: usize| median(times.iter().filter(|t| t.0 == calls).map(|t| t.1).collect());
    let short = of(100);
    for calls in [1_000, 10_000] {
        let what = format!("a run of {calls} calls against 100: time per call");
        table::row(&what, &ms(of(calls)), &ms(short), of(calls) / short, ..=1.2);
    }
}

/// Seconds of processor time per call of a run of so many calls, one after the other on each of two threads, with
/// one twin for all of them, and of judging their record.
fn per_call(calls: usize) -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan::plan(Profile::Dtls, 200);
    let planned = (0..calls).map(|number| {
        let mut plan = plan.clone();
        plan.id = format!("opt-in/measured-{number}");
        let expected = vec![(Outcome::Sealed, Vec::new())];
        Planned { plan, expected, net: NetKind::Memory, unsupported: None }
    });
    let setup = RunSetup {
        folder: folder.path().to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        seed: 0,
        net: NetKind::Memory,
        planned: planned.collect(),
        shard: None,
        jobs: 2,
        meddler: None,
        outsiders: std::collections::BTreeMap::new(),
    };
    let (seconds, totals) = timed(|| run(setup, folder.path()));
    assert_eq!(totals.pass, calls, "every call passes");
    seconds / calls as f64
}

fn run(setup: RunSetup, folder: &Path) -> model::results::Totals {
    let start = Instant::now();
    let watch = Watch {
        interrupted: &AtomicBool::new(false),
        timeout: Duration::from_secs(60),
        now: &|| start.elapsed(),
    };
    let run = Run::begin(setup).expect("a run that begins");
    run.execute(&watch, &|_| {}).expect("a run that is recorded");
    let text = std::fs::read_to_string(folder.join("record.jsonl")).expect("the record");
    let record = Record::parse(&text).expect("a record");
    let results = audit::judge(folder, &record, &Options { sweep: Sweep::Off });
    assert_eq!(results.verdict, Verdict::Pass);
    results.totals
}

/// Seconds of processor time that judging takes, of each call the one in the middle. Each is judged once before it is
/// timed, because a large call before a small one leaves it an empty heap to fill again.
fn judged(calls: &[(&Called, u64)]) -> Vec<f64> {
    let mut times = vec![Vec::new(); calls.len()];
    for _ in 0..ROUNDS {
        for ((called, frames), times) in calls.iter().zip(&mut times) {
            call::demand(&call::judge(called), *frames);
            times.push(timed(|| call::judge(called)).0);
        }
    }
    times.into_iter().map(median).collect()
}

/// Prints what one more of `what` costs between the second and the third size against between the first and the
/// second.
fn step(what: &str, sizes: &[usize], times: &[f64]) {
    let (&[a, b, c], &[at_a, at_b, at_c]) = (sizes, times) else { return };
    let early = (at_b - at_a) / (b - a) as f64;
    let late = (at_c - at_b) / (c - b) as f64;
    let what = format!("judging one more {what}: {b}..{c} against {a}..{b}");
    table::row(&what, &us(late), &us(early), late / early, ..=1.2);
}

fn packets() {
    let folders: Vec<_> = TALKS.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
    let run = |(seconds, folder): (&u64, &tempfile::TempDir)| {
        call::run(&plan::plan(Profile::Dtls, seconds * 1_000), folder.path(), [4; 32])
    };
    let called: Vec<Called> = TALKS.iter().zip(&folders).map(run).collect();
    let sizes: Vec<usize> = folders.iter().map(|folder| packets_of(&folder.path().join(CAPTURE))).collect();
    let calls: Vec<_> = called.iter().zip(TALKS.map(|seconds| seconds * PER_SECOND)).collect();
    step("packet", &sizes, &judged(&calls));
}

fn packets_of(capture: &Path) -> usize {
    Capture::read(std::fs::read(capture).expect("a capture")).packets.len()
}

/// The keys are of the kind that costs most: each is tried on every sealed frame.
fn keys() {
    let folders: Vec<_> = KEYS.iter().map(|_| tempfile::tempdir().expect("a folder")).collect();
    let run = |(keys, folder): (&usize, &tempfile::TempDir)| {
        let called = call::run(&plan::plan(Profile::Frames, 1_000), folder.path(), [5; 32]);
        let file = std::fs::File::options().append(true).open(folder.path().join(SERVICE_KEYS));
        let mut file = file.expect("the service's keys");
        for number in 0..*keys {
            writeln!(file, "SFRAME 4 {} {number:032x}", number % 2).expect("a key is written");
        }
        called
    };
    let called: Vec<Called> = KEYS.iter().zip(&folders).map(run).collect();
    let calls: Vec<_> = called.iter().map(|called| (called, PER_SECOND)).collect();
    step("key", &KEYS, &judged(&calls));
}

fn ms(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1_000.0)
}

fn us(seconds: f64) -> String {
    format!("{:.2} µs", seconds * 1_000_000.0)
}
