//! One world: a network, its nodes, the steps of a plan, and the record of what happened.
//!
//! Invariant: whatever stops a world, its capture and its keys are written and its record says what is missing.

mod build;
mod calls;
mod crossing;
mod features;
mod notes;
mod policy;
mod steps;

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

use model::identity::DeviceId;
use model::plan::{NetKind, Path, Verb};
use model::record::{Blamed, Files, Stumble, WorldKind, WorldRecord, Written};
use model::{Plan, Role};

use crate::crash::{Watching, guarded};
use crate::meddler::Meddler;
use crate::run::seconds;
use crate::stop::{Stop, Stopped};
use build::World;
pub use build::outside::{Introduced, Outsider, declared, introduced};
pub(crate) use build::outside::{OPENS_WITHIN, session_folder};

/// Virtual seconds that a world may take beside what its `wait` steps ask for.
const WORLD_BUDGET: Duration = Duration::from_secs(120);
/// The time stamp of every world in memory: 8 March 2022, 12:00 UTC, in nanoseconds from 1970.
const MEMORY_EPOCH_NS: u64 = 1_646_740_800_000_000_000;

/// One world to run.
#[derive(Clone, Debug)]
pub struct Job {
    /// Variant or twin.
    pub world: WorldKind,
    /// The id of the variant; of a twin, of the first variant that needs it.
    pub id: String,
    /// What to run.
    pub plan: Plan,
    /// The network.
    pub net: NetKind,
    /// The seed of this world.
    pub seed: [u8; 32],
    /// The folder of the run.
    pub folder: PathBuf,
    /// The id under which the twin is recorded.
    pub twin: Option<String>,
    /// Who makes trouble in this world.
    pub meddler: Option<Meddler>,
    /// Clients made by others, by the side of the first call that they are.
    pub outsiders: BTreeMap<Role, Outsider>,
}

impl Job {
    /// The client made by others that `device` is, where it is one: every device of the user on that side.
    pub(crate) fn outsider(&self, device: &DeviceId) -> Option<&Outsider> {
        let sides = build::sides(&self.plan);
        let side = sides.into_iter().find(|(_, side)| side.user == device.user)?;
        self.outsiders.get(&side.0)
    }

    /// About how long the world takes, in its own time.
    pub(crate) fn duration(&self) -> Duration {
        let step = |verb: &Verb| match verb {
            Verb::Talk { ms } | Verb::Wait { ms } => *ms,
            Verb::Call { .. } if self.plan.path == Path::Relay => 5_000,
            Verb::Call { .. } => 1_000,
            Verb::Ignore(_) => 30_000,
            _ => 100,
        };
        Duration::from_millis(self.plan.steps.iter().map(|at| step(&at.verb)).sum())
    }

    /// Where the evidence goes, relative to the folder of the run.
    pub fn files(&self) -> Files {
        let name = model::plan::file_name(&self.id);
        let name = if self.world == WorldKind::Twin { format!("{name}.twin") } else { name };
        Files {
            capture: format!("captures/{name}.pcapng"),
            parties: format!("keys/{name}.parties.keys"),
            service: format!("keys/{name}.service.keys"),
        }
    }
}

/// Runs one world on this thread to its end and writes its capture and key files.
pub fn run_world(job: &Job) -> WorldRecord {
    let world = run_until(job, Stopped::never());
    world.unwrap_or_else(|| stopped(job, "the run was interrupted; run the scenario again".to_owned()))
}

/// The same, until it is told to end; none when it was interrupted.
pub(crate) fn run_until(job: &Job, hears: Stopped) -> Option<WorldRecord> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match job.net {
        NetKind::Memory => builder.enable_time().start_paused(true).build(),
        NetKind::Loopback => builder.enable_all().build(),
    };
    match runtime {
        Ok(runtime) => runtime.block_on(in_runtime(job, hears)),
        Err(error) => {
            Some(stopped(job, format!("no runtime could be made ({error}); free some memory and run again")))
        }
    }
}

/// Why a world ends before its steps are played.
enum Halt {
    Crash,
    Budget,
    Stop(Stop),
}

async fn in_runtime(job: &Job, mut hears: Stopped) -> Option<WorldRecord> {
    let watching = Watching::begin();
    let waits = job.plan.steps.iter().map(|step| match step.verb {
        Verb::Wait { ms } => Duration::from_millis(ms),
        _ => Duration::ZERO,
    });
    let budget = WORLD_BUDGET + waits.sum::<Duration>();
    let mut world = match until(World::build(job), &watching, &mut hears, budget).await {
        Ok(Ok(world)) => world,
        Ok(Err(error)) => return Some(stopped(job, error.to_string())),
        Err(Halt::Stop(Stop::Interrupted)) => return None,
        Err(halt) => {
            let crashes = watching.take();
            let text = halt.told(budget, "it was being built");
            return Some(stopped(job, text.or_else(|| crashes.into_iter().next())?));
        }
    };
    let halt = until(world.play(&job.plan), &watching, &mut hears, budget).await.err();
    if let Some(Halt::Stop(Stop::Interrupted)) = halt {
        return None;
    }
    let told = halt.and_then(|halt| halt.told(budget, &world.doing(&job.plan)));
    for text in watching.take().into_iter().chain(told) {
        world.stumble(Blamed::Harness, text);
    }
    Some(world.finish(job).await)
}

impl Halt {
    /// What happened, where no crash tells it.
    fn told(&self, budget: Duration, doing: &str) -> Option<String> {
        match self {
            Self::Crash | Self::Stop(Stop::Interrupted) => None,
            Self::Budget => Some(format!(
                "the world took longer than its {} while {doing}; let it `wait` for what takes so long, or find out \
                 where it hangs",
                seconds(budget)
            )),
            Self::Stop(Stop::TimedOut(timeout)) => Some(format!(
                "the world was ended after {} while {doing}; give it more time with --timeout, or find out where it \
                 hangs",
                seconds(*timeout)
            )),
        }
    }
}

/// Does `work` unless something panics first, the world's own time is up, or it is told to end.
async fn until<T>(
    work: impl Future<Output = T>,
    watching: &Watching,
    hears: &mut Stopped,
    budget: Duration,
) -> Result<T, Halt> {
    tokio::select! {
        biased;
        done = guarded(work) => done.ok_or(Halt::Crash),
        () = watching.crashed() => Err(Halt::Crash),
        stop = hears.come() => Err(Halt::Stop(stop)),
        () = tokio::time::sleep(budget) => Err(Halt::Budget),
    }
}

/// The record of a world that never was.
pub(crate) fn stopped(job: &Job, text: String) -> WorldRecord {
    WorldRecord {
        world: job.world,
        id: job.id.clone(),
        plan: job.plan.clone(),
        net: job.net,
        files: job.files(),
        written: Written::default(),
        twin: job.twin.clone(),
        epoch_ns: 0,
        ended_ns: 0,
        schedule: None,
        links: Vec::new(),
        calls: Vec::new(),
        ledger: Vec::new(),
        claims: Vec::new(),
        drops: Vec::new(),
        deeds: Vec::new(),
        steps: BTreeMap::new(),
        database: Vec::new(),
        held: Vec::new(),
        drivers: Vec::new(),
        stumbles: vec![Stumble { at_ns: 0, blame: Blamed::Harness, text }],
        log: Vec::new(),
    }
}

/// Writes a key file; what goes wrong becomes a stumble.
fn write_keys(path: &std::path::Path, heading: &str, lines: &[String]) -> std::io::Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    writeln!(file, "# {heading}")?;
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.flush()
}
