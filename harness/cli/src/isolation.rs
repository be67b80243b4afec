//! Clients made by others run where there is no network but the loopback: on Linux in a network namespace of the run's
//! own, which the whole program enters by starting itself again.
//!
//! Invariant: whether it worked is not believed but looked at, where the sessions begin (`runner`).

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Set for the program that was started again.
const INSIDE: &str = "OVERHEARD_NAMESPACE";

/// Ways to make a namespace: as the administrator of the system, else as one of the user's own.
const WAYS: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];

/// In the namespace: the loopback up, then the program itself.
const ENTER: &str = "ip link set lo up && exec \"$0\" \"$@\"";

/// Turns this process into the same program in a namespace; comes back where it is in one already, or none can be made.
pub fn enter(arguments: impl Iterator<Item = OsString>) {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let (Some(way), Ok(program)) = (WAYS.iter().find(|way| works(way)), std::env::current_exe()) else {
        return;
    };
    let mut command = Command::new("unshare");
    command.args(*way).args(["sh", "-c", ENTER]).arg(program).args(arguments).env(INSIDE, "1");
    // Signals reach it and its end is ours: the process stays the same. Where this fails the run goes on outside.
    let _ = command.exec();
}

fn works(way: &[&str]) -> bool {
    let mut command = Command::new("unshare");
    command.args(way).args(["sh", "-c", "ip link set lo up"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
