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

async fn keep_end(mut stderr: ChildStderr, kept: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0; 4_096];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let excess = kept.len().saturating_sub(KEPT_STDERR);
        kept.drain(..excess);
    }
}
