//! One judged sealed call, as a run makes it: a world with its capture and keys, a record, and the judge.
//!
//! Invariant: what is measured is a call that was sealed, heard by its parties and passed by every check that needs
//! no control run; any other one ends the benchmark.

use std::path::{Path, PathBuf};

use audit::Options;
use model::plan::{NetKind, Plan};
use model::record::{Header, Line, Record, SCHEMA, Tool, WorldKind};
use model::results::{ScenarioResult, Sweep};
use model::{Outcome, Verdict};
use runner::{Job, RecordFile};

/// A call that ran, before its judge.
pub struct Called {
    folder: PathBuf,
    /// What a run would hand to its judge.
    pub record: Record,
}

/// Runs the call in a world of its own below `folder`, which is there and empty, and reads its record back.
pub fn run(plan: &Plan, folder: &Path, seed: [u8; 32]) -> Called {
    for name in ["captures", "keys"] {
        std::fs::create_dir(folder.join(name)).expect("an empty folder");
    }
    let job = Job {
        world: WorldKind::Variant,
        id: plan.id.clone(),
        plan: plan.clone(),
        net: NetKind::Memory,
        seed,
        folder: folder.to_owned(),
        twin: None,
        meddler: None,
        outsiders: std::collections::BTreeMap::new(),
    };
    let header = Header {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        seed: "0".to_owned(),
        net: NetKind::Memory,
        planned: vec![plan.id.clone()],
        shard: None,
    };
    let path = folder.join("record.jsonl");
    let mut record = RecordFile::begin(&path, &header).expect("a record");
    record.write(&Line::World(Box::new(runner::run_world(&job)))).expect("a world in the record");
    record.end().expect("the record's end");
    let text = std::fs::read_to_string(&path).expect("the record");
    Called { folder: folder.to_owned(), record: Record::parse(&text).expect("a record") }
}

/// Judges the call without sweep.
pub fn judge(called: &Called) -> ScenarioResult {
    let results = audit::judge(&called.folder, &called.record, &Options { sweep: Sweep::Off });
    results.scenarios.into_iter().next().expect("the world has a result")
}

/// Ends the benchmark unless the call was what it had to be, with so many frames each way.
pub fn demand(result: &ScenarioResult, frames: u64) {
    let call = result.calls.first().expect("the plan has a call");
    assert_eq!(call.outcome, Outcome::Sealed, "{}", result.why);
    // At both taps, from both sides.
    let heard = call.heard[&model::outcome::Listener::Parties];
    assert_eq!((heard.frames, heard.of), (4 * frames, 4 * frames), "{}", result.why);
    for check in result.checks.iter().filter(|check| check.check != "proof/twin") {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {:?}", check.check, check.findings);
    }
}
