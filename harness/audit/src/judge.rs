//! Judges a saved run: record, captures and keys in, results out.
//!
//! Invariant: nothing passes that was not examined, and what was planned and has no verdict is lost coverage.

mod attacks;
mod budget;
mod calls;
mod gaps;
mod ladder;
mod parallel;
mod sweeps;
mod twins;
mod variant;

use std::collections::BTreeMap;
use std::path::Path;

use model::Verdict;
use model::record::{Line, Record, Tool, WorldKind, WorldRecord};
use model::results::{Results, SCHEMA, ScenarioResult, Sweep, Totals};
use model::verdict::Ending;

use crate::sweep::Reach;

/// How to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How much of the free bytes is tried as secrets.
    pub sweep: Sweep,
}

/// Judges the run in the folder `run`, whose record has been read.
pub fn judge(run: &Path, record: &Record, options: &Options) -> Results {
    let mut worlds: BTreeMap<&str, &WorldRecord> = BTreeMap::new();
    let mut twins: BTreeMap<&str, &WorldRecord> = BTreeMap::new();
    let mut unsupported: BTreeMap<&str, ScenarioResult> = BTreeMap::new();
    for line in &record.lines {
        match line {
            Line::World(world) if world.world == WorldKind::Variant => {
                worlds.insert(&world.id, world);
            }
            Line::World(world) => {
                twins.insert(&world.id, world);
            }
            Line::Unsupported { unsupported: id, reason, title, variant } => {
                unsupported.insert(id, variant::unsupported(id, reason, title, variant));
            }
            Line::Header(_) | Line::End { .. } => {}
        }
    }
    let twins = twins::Twins::read(run, twins);
    let planned = &record.header.planned;
    let mut sweeps = sweeps::Sweeps::new(options.sweep);
    let reach: BTreeMap<&str, Reach> = planned
        .iter()
        .filter_map(|id| Some((id.as_str(), sweeps.reach(&worlds.get(id.as_str())?.plan))))
        .collect();
    let judged =
        parallel::each(planned, |id| match (worlds.get(id.as_str()), unsupported.get(id.as_str())) {
            (Some(world), _) => {
                let reach = reach.get(id.as_str()).copied().unwrap_or(Reach::Guesses);
                Ok(variant::judge(run, world, &twins, options, reach))
            }
            (None, Some(result)) => Ok(result.clone()),
            (None, None) => Err(id.clone()),
        });
    let (mut scenarios, mut lost) = (Vec::new(), Vec::new());
    for outcome in judged {
        match outcome {
            Ok(scenario) => scenarios.push(scenario),
            Err(id) => lost.push(id),
        }
    }
    conclude(run, record, scenarios, lost)
}

fn conclude(run: &Path, record: &Record, scenarios: Vec<ScenarioResult>, lost: Vec<String>) -> Results {
    let totals = totals(&scenarios);
    let verdicts = scenarios.iter().filter_map(|scenario| verdict_of(scenario.verdict));
    // A run without any verdict has shown nothing.
    let nothing = if totals == Totals::default() || !lost.is_empty() || record.partial {
        Verdict::Inconclusive
    } else {
        Verdict::Pass
    };
    Results {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        run: run.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        seed: record.header.seed.clone(),
        net: record.header.net,
        partial: record.partial,
        verdict: verdicts.fold(nothing, Verdict::worst),
        scenarios,
        lost,
        totals,
    }
}

/// Name and version of the judge.
pub fn tool() -> Tool {
    Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// The verdict behind an ending; none where nothing was run.
pub fn verdict_of(ending: Ending) -> Option<Verdict> {
    match ending {
        Ending::Pass => Some(Verdict::Pass),
        Ending::Inconclusive => Some(Verdict::Inconclusive),
        Ending::Error => Some(Verdict::Error),
        Ending::Fail => Some(Verdict::Fail),
        Ending::KnownFailing | Ending::Unsupported => None,
    }
}

/// How many variants ended in which way.
pub fn totals(scenarios: &[ScenarioResult]) -> Totals {
    let mut totals = Totals::default();
    for scenario in scenarios {
        let counter = match scenario.verdict {
            Ending::Pass => &mut totals.pass,
            Ending::Fail => &mut totals.fail,
            Ending::Error => &mut totals.error,
            Ending::Inconclusive => &mut totals.inconclusive,
            Ending::Unsupported => &mut totals.unsupported,
            Ending::KnownFailing => &mut totals.known_failing,
        };
        *counter += 1;
    }
    totals
}

#[cfg(test)]
mod tests;
