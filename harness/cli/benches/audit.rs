//! `audit` without keys against the bare reading loop, and against tshark where it is installed (design, section 7).
//!
//! The capture is made anew: a thousand calls at once, so that each packet finds its stream cold. `cargo bench --bench
//! audit -- FILE` takes another one. All figures but the memory are of one process and one file in the page cache.

#[path = "audit/bare.rs"]
mod bare;
#[path = "audit/child.rs"]
mod child;
#[path = "ratios/clock.rs"]
mod clock;
#[path = "audit/made.rs"]
mod made;
#[path = "ratios/median.rs"]
mod median;
#[path = "ratios/table.rs"]
mod table;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use audit::examination::{Input, Options, examine};
use clock::timed;
use median::median;

/// Packets of the capture.
const PACKETS: u32 = 1_500_000;
/// Times that each way is measured, in turn.
const ROUNDS: usize = 5;

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let made = tempfile::NamedTempFile::new().expect("a file");
    let path = named.as_ref().map_or(made.path(), |name| Path::new(name));
    if named.is_none() {
        made::write(path, PACKETS);
    }
    let rounds: Vec<Round> = (0..=ROUNDS).map(|_| round(path)).skip(1).collect();
    let of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    table::head();
    let (bare, audit) = (of(|r| r.bare.0), of(|r| r.audit.0));
    table::row("audit: processor time", &s(audit), &s(bare), of(|r| r.audit.0 / r.bare.0), ..=2.0);
    table::row(
        "audit: wall time",
        &s(of(|r| r.audit.1)),
        &s(of(|r| r.bare.1)),
        of(|r| r.audit.1 / r.bare.1),
        ..=1.2,
    );
    let (hash, ()) = timed(|| examined(path, false));
    table::row("  with the file's SHA-256: processor time", &s(hash), &s(bare), hash / bare, ..);
    let program = Path::new(env!("CARGO_BIN_EXE_overheard"));
    let peak = child::peak(program, &["audit", "--no-hash", "--format", "json", &path.display().to_string()]);
    table::row("audit: memory", &mib(peak), "64 MiB", peak / (64.0 * 1_048_576.0), ..=1.0);
    let arguments =
        ["-n", "-r", &path.display().to_string(), "-T", "fields", "-e", "frame.number", "-e", "udp.stream"];
    match child::processor_time("tshark", &arguments) {
        Some(tshark) => {
            table::row("tshark -T fields: processor time", &s(tshark), &s(audit), tshark / audit, 40.0..)
        }
        None => table::row("tshark is not installed", "-", "-", f64::NAN, ..),
    }
}

/// Processor and wall seconds of both ways.
struct Round {
    bare: (f64, f64),
    audit: (f64, f64),
}

fn round(path: &Path) -> Round {
    let both = |work: &dyn Fn()| {
        let start = Instant::now();
        let (used, ()) = timed(work);
        (used, start.elapsed().as_secs_f64())
    };
    Round { bare: both(&|| bare::read(path)), audit: both(&|| examined(path, true)) }
}

fn examined(path: &Path, no_hash: bool) {
    let file = path.to_owned();
    let open = move || Ok(Box::new(File::open(&file)?) as Box<dyn Read + Send>);
    let input = Input { name: "measured".to_owned(), open: Box::new(open) };
    let audit = examine(&[input], &[], &Options { no_hash, ..Options::default() }, &mut |_| {});
    assert!(audit.streams.len() > 1 && audit.captures[0].problems.is_empty(), "the whole capture is read");
}

fn s(seconds: f64) -> String {
    format!("{seconds:.2} s")
}

fn mib(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / 1_048_576.0)
}
