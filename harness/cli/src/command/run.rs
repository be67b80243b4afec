//! `overheard run [PATH…]`: reads scenarios, runs what is selected, judges the record and reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::Role;
use model::plan::NetKind;
use model::record;
use runner::{Event, Outsider, Planned, RunSetup, Watch};

use crate::arguments::Run;
use crate::capabilities::{declared, missing, not_for_others};
use crate::catalogue::check_names;
use crate::client_choice::outsiders;
use crate::conclude::Conclusion;
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::interrupt::Interrupt;
use crate::known_failures::{Entry, KnownFailures};
use crate::planning::{self, Variant};
use crate::progress::Progress;
use crate::sources::{self, Source};
use crate::surroundings::Surroundings;
use crate::time_limit::TimeLimit;
use crate::{diagnostics, print, run_folder};

/// Reads, runs, judges and reports.
///
/// # Errors
/// When nothing may run, or the run cannot be recorded, judged or reported.
pub fn run(arguments: &Run, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let configuration = Configuration::in_folder(&surroundings.folder).map_err(Failure::usage)?;
    let mut conclusion = Conclusion::of(&arguments.reporting, &configuration, surroundings)?;
    let filter = filter(arguments, &configuration)?;
    conclusion.keep = keep(arguments, &configuration)?;
    let timeout = timeout(arguments, &configuration)?;

    let outsiders = outsiders(&arguments.clients, &configuration.clients).map_err(Failure::usage)?;

    let sources = sources::gather(&arguments.paths, Path::new(sources::SCENARIOS)).map_err(Failure::usage)?;
    let variants = planning::plan(&sources, &planning::vocabulary())
        .map_err(|mistakes| diagnostics::mistaken(&mistakes, surroundings))?;
    conclusion.known = known_failures(&configuration.known_failures, &variants, &sources, &arguments.paths)?;
    let selected: Vec<Variant> = variants.into_iter().filter(|v| filter.fits(&v.plan.id)).collect();
    let ids: Vec<String> = selected.iter().map(|v| v.plan.id.clone()).collect();
    let mine = |v: &Variant| arguments.shard.is_none_or(|shard| shard.holds(&v.plan.id));
    let variants: Vec<Variant> = selected.into_iter().filter(mine).collect();
    if variants.is_empty() {
        let text =
            "no variant is selected; see overheard list scenarios, and the filter and shard that were given";
        return Err(Failure { exit: Exit::NothingSelected, text: text.to_owned() });
    }
    conclusion.origins = variants.iter().map(|v| (v.plan.id.clone(), v.origin.clone())).collect();

    let interrupt = Interrupt::on_signals().map_err(Failure::error)?;
    let folder = folder(arguments, surroundings)?;
    if !conclusion.quiet {
        print::note(&format!("{}: {}", sources::whence(&arguments.paths, &sources), count(variants.len())));
    }
    let shard = arguments.shard.map(|s| record::Shard { index: s.index, of: s.of, selected: ids });
    let setup = setup(arguments, surroundings, folder.clone(), variants, shard, outsiders);
    let ran = execute(setup, &interrupt, timeout, !conclusion.quiet && surroundings.stderr_terminal);
    if let (Err(failure), false) = (&ran, folder.join(run_folder::RECORD).exists()) {
        return Err(failure.clone());
    }
    if arguments.out.is_none() {
        point_latest(&folder);
    }
    match (ran, conclusion.conclude(&folder, interrupt.raised())) {
        (Ok(()), concluded) => concluded,
        (Err(ran), Ok(exit)) => Err(Failure { exit: ran.exit.or(exit), ..ran }),
        (Err(ran), Err(concluded)) => {
            let text = format!("{}\noverheard: {}", ran.text, concluded.text);
            Err(Failure { exit: ran.exit.or(concluded.exit), text })
        }
    }
}

fn filter(arguments: &Run, configuration: &Configuration) -> Result<Filter, Failure> {
    match (&arguments.filter, &configuration.filter) {
        (Some(filter), _) => Ok(filter.clone()),
        (None, Some(text)) => text.parse().map_err(Failure::usage),
        (None, None) => Ok(Filter::default()),
    }
}

fn keep(arguments: &Run, configuration: &Configuration) -> Result<crate::arguments::Keep, Failure> {
    match (arguments.keep, &configuration.keep) {
        (Some(keep), _) => Ok(keep),
        (None, Some(text)) => clap::ValueEnum::from_str(text, false).map_err(|_| {
            Failure::usage(format!("`keep: {text}` is none of all, failed, none; use one of these"))
        }),
        (None, None) => Ok(crate::arguments::Keep::default()),
    }
}

fn timeout(arguments: &Run, configuration: &Configuration) -> Result<Duration, Failure> {
    let limit = match (arguments.timeout, &configuration.timeout) {
        (Some(limit), _) => limit,
        (None, Some(text)) => text.parse::<TimeLimit>().map_err(Failure::usage)?,
        (None, None) => TimeLimit::default(),
    };
    Ok(limit.0)
}

/// The list of the configuration; an entry may name a variant of a file that was not asked for.
fn known_failures(
    entries: &[Entry],
    variants: &[Variant],
    sources: &[Source],
    paths: &[PathBuf],
) -> Result<KnownFailures, Failure> {
    let file = |id: &str| id.split('[').next().unwrap_or(id).to_owned();
    let read = |id: &str| sources.iter().any(|s| format!("{}/{}", s.family, s.stem) == file(id));
    let exists = |id: &str| variants.iter().any(|v| v.plan.id == id) || (!paths.is_empty() && !read(id));
    KnownFailures::read(entries, exists, &check_names()).map_err(|mistakes| {
        Failure::usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

fn count(variants: usize) -> String {
    if variants == 1 { "1 variant".to_owned() } else { format!("{variants} variants") }
}

fn folder(arguments: &Run, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    match &arguments.out {
        Some(out) => run_folder::own(out).map_err(Failure::usage),
        None => {
            let name = run_folder::name(surroundings.now, arguments.seed);
            run_folder::under(Path::new(run_folder::REPORTS), &name).map_err(Failure::error)
        }
    }
}

fn setup(
    arguments: &Run,
    surroundings: &Surroundings,
    folder: PathBuf,
    variants: Vec<Variant>,
    shard: Option<record::Shard>,
    outsiders: BTreeMap<Role, Outsider>,
) -> RunSetup {
    let declared = declared(&outsiders);
    // Clients made by others keep real time.
    let chosen = arguments.net.or((!outsiders.is_empty()).then_some(NetKind::Loopback));
    let tool = record::Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let planned = variants.into_iter().map(|variant| {
        let net = chosen.or(variant.plan.net).unwrap_or(NetKind::Memory);
        let impaired = net == NetKind::Loopback && variant.plan.network.is_some();
        let unsupported = not_for_others(&variant.plan, &declared)
            .or_else(|| impaired.then(|| "memory only".to_owned()))
            .or_else(|| missing(&variant.plan));
        Planned { plan: variant.plan, expected: variant.expected, net, unsupported }
    });
    RunSetup {
        folder,
        tool,
        seed: arguments.seed,
        net: chosen.unwrap_or(NetKind::Memory),
        planned: planned.collect::<Vec<_>>(),
        shard,
        jobs: arguments.jobs.map_or(surroundings.processors, usize::from),
        meddler: None,
        outsiders,
    }
}

fn execute(setup: RunSetup, interrupt: &Interrupt, timeout: Duration, shown: bool) -> Result<(), Failure> {
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

fn point_latest(folder: &Path) {
    if let Err(why) = run_folder::point_latest(Path::new(run_folder::REPORTS), folder) {
        let text =
            format!("overheard: reports/latest could not be written ({why}); name the run by its folder");
        print::note(&text);
    }
}
