//! What another process takes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Ticks of processor time in a second, as Linux counts them for its readers.
const TICKS: f64 = 100.0;

/// The most bytes that a program holds at a time.
pub fn peak(program: &Path, arguments: &[&str]) -> f64 {
    let mut child = Command::new(program).args(arguments).stdout(Stdio::null()).spawn().expect("the program");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    while child.try_wait().expect("a child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(kib.unwrap_or(0.0) * 1_024.0);
        sleep(Duration::from_millis(5));
    }
    peak
}

/// Seconds of processor time that a program takes, if it is installed.
pub fn processor_time(program: &str, arguments: &[&str]) -> Option<f64> {
    let before = of_children();
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    status.success().then(|| of_children() - before)
}

/// Fields 16 and 17 of `/proc/self/stat`, counted behind the name in parentheses.
fn of_children() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (field(13) + field(14)) / TICKS
}
