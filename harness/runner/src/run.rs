//! A run: many worlds on several threads, and their record.

mod crew;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;

use model::outcome::Reason;
use model::plan::{NetKind, Plan};
use model::record::{Header, Line, SCHEMA, Shard, Tool, WorldKind};
use model::{Outcome, Role, plan};

pub use crew::Watch;
pub(crate) use crew::seconds;

use crate::meddler::Meddler;
use crate::record::RecordFile;
use crate::seed::variant_seed;
use crate::twin::{TwinError, key, twin_of};
use crate::world::{Job, Outsider};
use crew::Crew;

/// A variant that is going to run, or to be reported as unsupported.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What to run.
    pub plan: Plan,
    /// What each call is expected to come to, for forming the twin.
    pub expected: Vec<(Outcome, Vec<Reason>)>,
    /// The network.
    pub net: NetKind,
    /// Why it cannot run, if it cannot.
    pub unsupported: Option<String>,
}

/// What a run is made of.
#[derive(Debug)]
pub struct RunSetup {
    /// The folder of the run: there already, and without a record.
    pub folder: PathBuf,
    /// The tool that runs it.
    pub tool: Tool,
    /// The seed.
    pub seed: u64,
    /// The network of the run.
    pub net: NetKind,
    /// The variants, in the order of the report.
    pub planned: Vec<Planned>,
    /// Which part of a larger selection this run is.
    pub shard: Option<Shard>,
    /// How many worlds run at once.
    pub jobs: usize,
    /// Who makes trouble in the worlds; nobody, except in tests.
    pub meddler: Option<Meddler>,
    /// Clients made by others, by the side that they are.
    pub outsiders: BTreeMap<Role, Outsider>,
}

/// What happens while worlds run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A world begins.
    Started(&'a str, WorldKind),
    /// A world has ended and stands in the record.
    Finished(&'a str, WorldKind),
}

/// How many worlds a run has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worlds {
    /// Variants and twins that stand in the record.
    pub finished: usize,
    /// Variants and twins that were to run.
    pub planned: usize,
}

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder or the record cannot be written.
    #[error("the run cannot be recorded in {} ({source}); make room or choose another folder", folder.display())]
    Record {
        /// The folder of the run.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A variant needs a twin and none can be formed.
    #[error(transparent)]
    Twin(#[from] TwinError),
}

/// A run that has begun: its folders and the head of its record are there.
#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    jobs: Vec<Job>,
    unsupported: Vec<Line>,
    record: RecordFile,
    threads: usize,
}

impl Run {
    /// Forms the twins, makes the folders and writes the head of the record.
    ///
    /// # Errors
    /// When a twin cannot be formed, before anything is written, or when the folder cannot be written.
    pub fn begin(setup: RunSetup) -> Result<Self, RunError> {
        let mut jobs = jobs(&setup)?;
        if setup.net == NetKind::Loopback {
            // The longest first, so that none is left alone at the end.
            jobs.sort_by_key(|job| std::cmp::Reverse(job.duration()));
        }
        let failed = |source| RunError::Record { folder: setup.folder.clone(), source };
        for name in ["captures", "keys"] {
            std::fs::create_dir_all(setup.folder.join(name)).map_err(failed)?;
        }
        let header = Header {
            schema: SCHEMA.to_owned(),
            tool: setup.tool.clone(),
            seed: setup.seed.to_string(),
            net: setup.net,
            planned: setup.planned.iter().map(|planned| planned.plan.id.clone()).collect(),
            shard: setup.shard.clone(),
        };
        let record = RecordFile::begin(&setup.folder.join("record.jsonl"), &header).map_err(failed)?;
        let unsupported = setup.planned.iter().filter_map(unsupported_line).collect();
        Ok(Self { folder: setup.folder, jobs, unsupported, record, threads: setup.jobs.max(1) })
    }

    /// Runs every world, as long as `watch` lets it; `on_event` is called on this thread.
    ///
    /// # Errors
    /// When the record cannot be written; the lines before stay readable.
    pub fn execute(mut self, watch: &Watch<'_>, on_event: &dyn Fn(Event<'_>)) -> Result<Worlds, RunError> {
        let failed = |source| RunError::Record { folder: self.folder.clone(), source };
        for line in &self.unsupported {
            self.record.write(line).map_err(failed)?;
        }
        let planned = self.jobs.len();
        let crew = Crew::new(self.jobs, self.record, watch, on_event);
        let (finished, record) = crew.run(self.threads).map_err(failed)?;
        if finished == planned {
            record.end().map_err(failed)?;
        }
        Ok(Worlds { finished, planned })
    }
}

fn unsupported_line(planned: &Planned) -> Option<Line> {
    let reason = planned.unsupported.clone()?;
    Some(Line::Unsupported {
        unsupported: planned.plan.id.clone(),
        reason,
        title: planned.plan.title.clone(),
        variant: planned.plan.variant.clone(),
    })
}

/// Every variant that can run, and each twin once, under the name of the first variant that needs it.
fn jobs(setup: &RunSetup) -> Result<Vec<Job>, RunError> {
    let mut jobs = Vec::new();
    let mut named: HashMap<([u8; 32], NetKind), String> = HashMap::new();
    for planned in setup.planned.iter().filter(|planned| planned.unsupported.is_none()) {
        let id = &planned.plan.id;
        let twin = twin_of(&planned.plan, &planned.expected)?;
        let job = |world, plan: plan::Plan, label: &str| Job {
            world,
            id: id.clone(),
            plan,
            net: planned.net,
            seed: variant_seed(setup.seed, label),
            folder: setup.folder.clone(),
            twin: None,
            meddler: setup.meddler.clone(),
            outsiders: setup.outsiders.clone(),
        };
        let mut variant = job(WorldKind::Variant, planned.plan.clone(), id);
        if let Some(twin) = twin {
            let name = named.entry((key(&twin), planned.net)).or_insert_with(|| {
                jobs.push(job(WorldKind::Twin, twin, &format!("{id} twin")));
                id.clone()
            });
            variant.twin = Some(name.clone());
        }
        jobs.push(variant);
    }
    Ok(jobs)
}
