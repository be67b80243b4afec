//! Processor time, in the kernel and outside, of this whole process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

fn used() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or(0))
}

/// Seconds of processor time that `work` takes, and what it returns.
pub fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = used();
    let result = work();
    (used().saturating_sub(before).as_secs_f64(), result)
}
