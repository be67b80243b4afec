//! A thousand sealed calls at once in one world: the memory of each (design, section 7).
//!
//! What an association costs is what the peak of the process grows by from the moment at which everybody is
//! registered: both peers, what the devices and the services remember of the call, ledgers, and what the capture
//! holds back.

#[path = "ratios/plan.rs"]
mod plan;
#[path = "ratios/table.rs"]
mod table;
#[path = "ratios/town.rs"]
mod town;

/// Calls that are up at the same time.
const CALLS: u32 = 1_000;
/// Audio frames that each side sends while all calls are up.
const FRAMES: u32 = 10;
/// Bytes in a mebibyte, in kibibytes.
const MEBIBYTE: f64 = 1_024.0;

fn main() {
    table::head();
    let before = peak();
    let folder = tempfile::tempdir().expect("a folder");
    let met = town::run(CALLS, FRAMES, &folder.path().join("town.pcapng"), &peak);
    let after = peak();
    assert_eq!(met.connected, CALLS, "every call is connected");
    assert_eq!(met.locks, 2 * CALLS, "every screen shows a lock");
    assert_eq!(met.frames, 2 * CALLS * FRAMES, "every frame is played");
    let each = |from: f64, to: f64| (to - from) / f64::from(CALLS) / MEBIBYTE;
    let mebibytes = |each: f64| format!("{each:.2} MiB");
    let call = each(met.idle, after);
    let what = format!("{CALLS} calls at once: memory of each association");
    table::row(&what, &mebibytes(call), "1 MiB", call, ..1.0);
    let devices = each(before, met.idle);
    table::row("  beside it, its two devices before they call", &mebibytes(devices), "1 MiB", devices, ..);
}

/// The largest resident set so far, in kibibytes.
///
/// # Panics
/// Where the system does not tell: this is measured on Linux.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let number = line.trim().strip_suffix(" kB").expect("a peak in kB");
    number.trim().parse().expect("a number")
}
