//! The binary as a user meets it: arguments in; files, two streams and an exit code out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod agreement;
mod audit_pages;
mod bad_captures;
mod bad_days;
mod driver_check;
mod drivers;
mod evidence;
mod first_verdict;
mod matrix;
mod own;
mod running;
mod sharing;
mod sip_phones;
mod third_parties;
mod usage;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the binary left behind.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A folder of its own to run in.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap()
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn results(&self, run: &str) -> model::results::Results {
        serde_json::from_str(&self.read(&format!("{run}/results.json"))).unwrap()
    }

    /// The binary here, without any setting of the surroundings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_overheard"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("OVERHEARD_"))
        {
            command.env_remove(name);
        }
        command.env_remove("CARGO").args(arguments).current_dir(self.0.path());
        command
    }

    /// Runs it to its end.
    fn overheard(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a run with clients made by others comes to at best: where this machine does not let it move into a network
/// without a way out, `proof/complete` is inconclusive, and so is the run.
fn best(room: &Room, run: &str) -> model::Verdict {
    let shut_in = room.read(&format!("{run}/record.jsonl")).contains("\"isolated\":true");
    if shut_in { model::Verdict::Pass } else { model::Verdict::Inconclusive }
}

/// The file of a scenario of the project.
fn scenario(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    root.join(format!("{name}.yaml")).canonicalize().unwrap().display().to_string()
}

/// Says so aloud where something is not there; fails where OVERHEARD_REQUIRE_PEERS is 1.
#[expect(clippy::print_stderr, reason = "a skip is loud")]
fn there_or_skipped(there: bool, missing: &str) -> bool {
    let required = std::env::var("OVERHEARD_REQUIRE_PEERS").as_deref() == Ok("1");
    assert!(there || !required, "{missing}");
    if !there {
        eprintln!("SKIPPED: {missing}");
    }
    there
}
