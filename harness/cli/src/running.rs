//! From checked variants to a recorded run: which network, who cannot take part, and the worlds one after the other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use model::Role;
use model::plan::NetKind;
use model::record;
use runner::{Event, Outsider, Planned, RunSetup, Watch};

use crate::capabilities::{missing, not_for_others};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::planning::Variant;
use crate::progress::Progress;

/// What a run is asked for.
pub struct Order {
    /// Its folder, which is there.
    pub folder: PathBuf,
    /// Its seed.
    pub seed: u64,
    /// The network, whatever the scenarios say.
    pub net: Option<NetKind>,
    /// How many worlds run at once.
    pub jobs: usize,
    /// Which part of a larger selection it is.
    pub shard: Option<record::Shard>,
    /// Clients made by others, by the side that they take.
    pub outsiders: BTreeMap<Role, Outsider>,
    /// What each of them declares; none where it does not say.
    pub declared: BTreeMap<Role, Option<Vec<String>>>,
}

/// Decides what of `variants` can run.
pub fn setup(order: Order, variants: Vec<Variant>) -> RunSetup {
    // Clients made by others keep real time.
    let chosen = order.net.or((!order.outsiders.is_empty()).then_some(NetKind::Loopback));
    let tool = record::Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let planned = variants.into_iter().map(|variant| {
        let net = chosen.or(variant.plan.net).unwrap_or(NetKind::Memory);
        let impaired = net == NetKind::Loopback && variant.plan.network.is_some();
        let unsupported = not_for_others(&variant.plan, &order.declared)
            .or_else(|| impaired.then(|| "memory only".to_owned()))
            .or_else(|| missing(&variant.plan, &order.declared));
        Planned { plan: variant.plan, expected: variant.expected, net, unsupported }
    });
    RunSetup {
        tool,
        seed: order.seed,
        net: chosen.unwrap_or(NetKind::Memory),
        planned: planned.collect::<Vec<_>>(),
        folder: order.folder,
        shard: order.shard,
        jobs: order.jobs,
        meddler: None,
        outsiders: order.outsiders,
    }
}

/// Runs the worlds, with a bar of them where one is `shown`.
///
/// # Errors
/// When a twin cannot be formed, or the run cannot be recorded.
pub fn execute(
    setup: RunSetup,
    interrupt: &Interrupt,
    timeout: Duration,
    shown: bool,
) -> Result<(), Failure> {
    let total = setup.planned.iter().filter(|p| p.unsupported.is_none()).count();
    let run = runner::Run::begin(setup).map_err(|why| match why {
        runner::RunError::Twin(_) => Failure::usage(why),
        runner::RunError::Record { .. } => Failure::error(why),
    })?;
    let progress = Progress::new(total, shown);
    let start = Instant::now();
    let watch = Watch { interrupted: &interrupt.flag(), timeout, now: &|| start.elapsed() };
    let worlds = run.execute(&watch, &|event| match event {
        Event::Started(id, _) => progress.began(id),
        Event::Finished(_, record::WorldKind::Variant) => progress.ended(),
        Event::Finished(_, record::WorldKind::Twin) => {}
    });
    progress.close();
    worlds.map(|_| ()).map_err(Failure::error)
}
