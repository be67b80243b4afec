//! The process of a driver: a group of its own that is ended whole.
//!
//! Invariant: when the handle is gone, no process of the group runs on.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

/// So much of what a driver says on standard error is kept: the end of it.
const KEPT_STDERR: usize = 64 * 1024;

/// How a driver is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments.
    pub words: Vec<OsString>,
}

impl Command {
    /// A line for the shell.
    pub fn of_shell(line: &str) -> Self {
        Self { words: ["sh", "-c", line].map(OsString::from).to_vec() }
    }
}

/// A running process group.
pub(crate) struct Process {
    child: Child,
    group: Option<Pid>,
    stderr: Arc<Mutex<Vec<u8>>>,
}

impl Process {
    /// Starts `command` in `folder`, without the variables that tell of the harness's own options.
    pub(crate) fn start(
        command: &Command,
        folder: &Path,
    ) -> io::Result<(Self, ChildStdin, BufReader<ChildStdout>)> {
        let (program, arguments) = command.words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .env("OVERHEARD_SESSION_FOLDER", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let kept = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(keep_end(stderr, kept.clone()));
        Ok((Self { child, group, stderr: kept }, stdin, BufReader::new(stdout)))
    }

    /// How the process ended, once it has.
    pub(crate) async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) if status.success() => "it exited with 0".to_owned(),
            Ok(status) => format!("it ended with {status}"),
            Err(error) => format!("its end is not known ({error})"),
        }
    }

    /// Whether it ended with 0.
    pub(crate) async fn succeeded(&mut self) -> bool {
        self.child.wait().await.is_ok_and(|status| status.success())
    }

    /// The last line that it said on standard error.
    pub(crate) fn last_words(&self) -> Option<String> {
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&stderr).into_owned();
        text.lines().rev().find(|line| !line.trim().is_empty()).map(str::to_owned)
    }

    /// Names of the processes of the group that still run.
    pub(crate) fn group_members(&self) -> Vec<String> {
        let Some(group) = self.group else { return Vec::new() };
        match std::fs::read_dir("/proc") {
            Ok(processes) => processes
                .flatten()
                .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
                .filter_map(|stat| running_in(&stat, group.as_raw_nonzero().get()))
                .collect(),
            // Elsewhere than on Linux nobody names them.
            Err(_) if rustix::process::test_kill_process_group(group).is_ok() => {
                vec!["a process without a name".to_owned()]
            }
            Err(_) => Vec::new(),
        }
    }

    /// Ends every process of the group at once.
    pub(crate) fn kill(&self) {
        if let Some(group) = self.group {
            // One that is gone already needs no killing.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The name of the process that `stat` (`/proc/PID/stat` of Linux) is of, where it runs in the process group `group`.
/// The name stands in brackets and may hold anything; state, parent and group follow it.
fn running_in(stat: &str, group: i32) -> Option<String> {
    let (head, tail) = stat.rsplit_once(')')?;
    let mut fields = tail.split_whitespace();
    let (state, its_group) = (fields.next()?, fields.nth(1)?);
    // A zombie has ended; that nobody has asked how is not its fault.
    let runs = !matches!(state, "Z" | "X") && its_group.parse() == Ok(group);
    runs.then(|| head.split_once('(').map_or("", |(_, name)| name).to_owned())
}

async fn keep_end(mut stderr: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 4_096];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let excess = kept.len().saturating_sub(KEPT_STDERR);
        kept.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::running_in;

    #[rstest]
    #[case::runs("12 (sleep) S 1 77 77 0", Some("sleep"))]
    #[case::odd_name("12 (a) Z (b) R 1 77 77 0", Some("a) Z (b"))]
    #[case::zombie("12 (sleep) Z 1 77 77 0", None)]
    #[case::elsewhere("12 (sleep) S 1 78 77 0", None)]
    #[case::cut("12 (sleep) S", None)]
    #[case::nothing("", None)]
    fn processes_are_told_by_their_group(#[case] stat: &str, #[case] name: Option<&str>) {
        assert_eq!(running_in(stat, 77).as_deref(), name);
    }
}
