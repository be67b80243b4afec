//! A real run that is kept in memory, so that any number of tests can damage copies of what it left behind.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use audit::judge::{Options, judge};
use audit::oracle;
use model::Plan;
use model::plan::NetKind;
use model::record::{Record, Tool};
use model::results::Results;
use runner::{Meddler, Planned, Run, RunSetup, Watch};
use serde_json::Value;

/// The files of a run that has ended, by path below its folder.
pub(crate) struct Kept(BTreeMap<PathBuf, Vec<u8>>);

/// How a run is run.
#[derive(Clone, Copy)]
pub(crate) struct How {
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    pub(crate) net: NetKind,
}

/// As a user runs it who gives no option, one world after the other.
pub(crate) const PLAINLY: How = How { seed: 0, jobs: 1, net: NetKind::Memory };

/// Runs these plans and their twins in `folder`.
pub(crate) fn run_all(plans: Vec<Plan>, how: How, folder: &Path) {
    let watch =
        Watch { interrupted: &AtomicBool::new(false), timeout: Duration::MAX, now: &|| Duration::ZERO };
    prepared(plans, how, folder, None).execute(&watch, &|_| {}).expect("recorded");
}

/// A run of these plans that has begun.
pub(crate) fn prepared(plans: Vec<Plan>, how: How, folder: &Path, meddler: Option<Meddler>) -> Run {
    let planned = plans.into_iter().map(|plan| {
        let expected = oracle::expect(&plan).calls.into_iter().map(|call| (call.outcome, call.because));
        Planned { expected: expected.collect(), plan, net: how.net, unsupported: None }
    });
    let setup = RunSetup {
        folder: folder.to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
        seed: how.seed,
        net: how.net,
        planned: planned.collect(),
        shard: None,
        jobs: how.jobs,
        meddler,
        outsiders: std::collections::BTreeMap::new(),
    };
    Run::begin(setup).expect("a run")
}

/// Judges the run in `folder`; nothing where its record is none.
pub(crate) fn judged(folder: &Path) -> Option<Results> {
    let bytes = std::fs::read(folder.join("record.jsonl")).ok()?;
    let record = Record::parse(&String::from_utf8_lossy(&bytes)).ok()?;
    Some(judge(folder, &record, &Options::default()))
}

impl Kept {
    /// Runs the plan and its twin, and keeps what they left.
    pub(crate) fn of(plan: Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        run_all(vec![plan], PLAINLY, folder.path());
        let mut files = BTreeMap::new();
        for below in ["", "captures", "keys"] {
            for entry in std::fs::read_dir(folder.path().join(below)).expect("a folder").flatten() {
                if entry.path().is_file() {
                    let bytes = std::fs::read(entry.path()).expect("readable");
                    files.insert(Path::new(below).join(entry.file_name()), bytes);
                }
            }
        }
        Self(files)
    }

    /// A copy to damage.
    pub(crate) fn copy(&self) -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, bytes) in &self.0 {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, bytes).expect("written");
        }
        Room(folder)
    }
}

/// One copy of a run.
pub(crate) struct Room(tempfile::TempDir);

impl Room {
    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The one file whose name ends so, and is no twin's unless the ending says it.
    pub(crate) fn file(&self, ending: &str) -> PathBuf {
        let below = if ending.ends_with(".keys") { "keys" } else { "captures" };
        let files = std::fs::read_dir(self.folder().join(below)).expect("a folder").flatten();
        let fits = |path: &PathBuf| {
            let name = path.to_string_lossy();
            name.ends_with(ending) && (ending.contains("twin") || !name.contains("twin"))
        };
        let mut found = files.map(|entry| entry.path()).filter(fits);
        let file = found.next().unwrap_or_else(|| panic!("no file ends in {ending}"));
        assert_eq!(found.next(), None, "{ending} is ambiguous");
        file
    }

    /// Rewrites a file.
    pub(crate) fn rewrite(&self, ending: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let file = self.file(ending);
        let bytes = std::fs::read(&file).expect("readable");
        std::fs::write(file, change(bytes)).expect("written");
    }

    /// Rewrites the record as text.
    pub(crate) fn rewrite_record(&self, change: impl FnOnce(String) -> String) {
        let path = self.folder().join("record.jsonl");
        let text = std::fs::read_to_string(&path).expect("readable");
        std::fs::write(path, change(text)).expect("written");
    }

    /// Rewrites the lines of the record that are worlds of this kind: `variant` or `twin`.
    pub(crate) fn rewrite_world(&self, kind: &str, change: impl Fn(&mut Value)) {
        self.rewrite_record(|text| {
            let lines = text.lines().map(|line| {
                let mut value: Value = serde_json::from_str(line).expect("JSON");
                if value["world"] == kind {
                    change(&mut value);
                }
                format!("{value}\n")
            });
            lines.collect()
        });
    }

    /// What the judge makes of it.
    pub(crate) fn judged(&self) -> Option<Results> {
        judged(self.folder())
    }
}

/// Where the blocks of packets stand in a capture of ours: little endian, one section.
pub(crate) fn packets(bytes: &[u8]) -> Vec<Range<usize>> {
    let word = |at: usize| {
        bytes.get(at..at + 4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let (Some(kind), Some(length)) = (word(at), word(at + 4)) {
        let end = at + length as usize;
        if kind == 6 {
            found.push(at..end);
        }
        at = end;
    }
    found
}

/// A capture without the packets whose number, from 0, is `gone`.
pub(crate) fn without(bytes: &[u8], gone: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut left = bytes.to_vec();
    for (_, range) in packets(bytes).into_iter().enumerate().rev().filter(|(n, _)| gone(*n)) {
        left.drain(range);
    }
    left
}

/// The keys of a key file, line by line.
pub(crate) fn key_lines(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("readable");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}
