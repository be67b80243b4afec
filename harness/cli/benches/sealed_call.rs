//! One judged sealed call against the bare call of the same engine (design, section 7).
//!
//! Both are `dtls` from device to device with 50 audio frames each way on the network in memory. The bare one has
//! no signalling, no service, no ledger, no capture and no judge; the judged one has no twin, no sweep and no
//! self-test.

#[path = "ratios/bare.rs"]
mod bare;
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

use std::path::Path;

use clock::timed;
use median::median;
use model::plan::{Plan, Profile};

/// Packets each way.
const FRAMES: u32 = 50;
/// Pairs, each of a few calls of either kind, one kind right after the other.
const PAIRS: u8 = 21;
/// Calls of either kind in a pair.
const CALLS: u8 = 8;

fn main() {
    let plan = plan::plan(Profile::Dtls, u64::from(FRAMES) * 20);
    let folder = tempfile::tempdir().expect("a folder");
    // What is made once in a process is made before.
    pair(&plan, folder.path(), u8::MAX);
    let pairs: Vec<Pair> = (0..PAIRS).map(|number| pair(&plan, folder.path(), number)).collect();
    let of = |figure: fn(&Pair) -> f64| median(pairs.iter().map(figure).collect());
    table::head();
    let (run, judged, bare) = (of(|p| p.run), of(|p| p.run + p.judge), of(|p| p.bare));
    table::row(
        "a judged sealed call: processor time",
        &ms(judged),
        &ms(bare),
        of(|p| (p.run + p.judge) / p.bare),
        ..=2.5,
    );
    table::row("  of this, running it", &ms(run), &ms(bare), of(|p| p.run / p.bare), ..);
    table::row("  of this, judging it", &ms(of(|p| p.judge)), &ms(bare), of(|p| p.judge / p.bare), ..);
}

/// Seconds of processor time per call.
struct Pair {
    run: f64,
    judge: f64,
    bare: f64,
}

fn pair(plan: &Plan, folder: &Path, number: u8) -> Pair {
    let calls = f64::from(CALLS);
    let mut pair = Pair { run: 0.0, judge: 0.0, bare: 0.0 };
    for ordinal in 0..CALLS {
        let (mut seed, own) = ([number; 32], tempfile::tempdir_in(folder).expect("a folder"));
        seed[0] = ordinal;
        let (run, called) = timed(|| call::run(plan, own.path(), seed));
        let (judge, result) = timed(|| call::judge(&called));
        call::demand(&result, u64::from(FRAMES));
        pair.run += run / calls;
        pair.judge += judge / calls;
        let (bare, delivered) = timed(|| bare::call(FRAMES, seed));
        assert_eq!(delivered, 2 * FRAMES as usize, "every packet of the bare call arrives");
        pair.bare += bare / calls;
    }
    pair
}

fn ms(seconds: f64) -> String {
    format!("{:.2} ms", seconds * 1_000.0)
}
