//! `overheard run [PATH…]`: reads scenarios, runs what is selected, judges the record and reports.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::record;

use crate::arguments::Run;
use crate::capabilities::declared;
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
use crate::running::{self, Order};
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
    conclusion.clients = arguments.clients.iter().map(ToString::to_string).collect();
    let filter = filter(arguments.filter.as_ref(), &configuration)?;
    conclusion.keep = keep(arguments, &configuration)?;
    let timeout = timeout(arguments.timeout, &configuration)?;

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
    let folder = folder(arguments.out.as_deref(), arguments.seed, surroundings)?;
    if !conclusion.quiet {
        print::note(&format!("{}: {}", sources::whence(&arguments.paths, &sources), count(variants.len())));
    }
    let shard = arguments.shard.map(|s| record::Shard { index: s.index, of: s.of, selected: ids });
    let order = Order {
        folder: folder.clone(),
        seed: arguments.seed,
        net: arguments.net,
        jobs: arguments.jobs.map_or(surroundings.processors, usize::from),
        shard,
        declared: declared(&outsiders),
        outsiders,
    };
    let shown = !conclusion.quiet && surroundings.stderr_terminal;
    let ran = running::execute(running::setup(order, variants), &interrupt, timeout, shown);
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

/// The variants that the option asks for, or else the configuration.
pub(super) fn filter(option: Option<&Filter>, configuration: &Configuration) -> Result<Filter, Failure> {
    match (option, &configuration.filter) {
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

/// The time limit that the option gives, or else the configuration.
pub(super) fn timeout(option: Option<TimeLimit>, configuration: &Configuration) -> Result<Duration, Failure> {
    let limit = match (option, &configuration.timeout) {
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

/// `1 variant`, `2 variants`.
pub(super) fn count(variants: usize) -> String {
    if variants == 1 { "1 variant".to_owned() } else { format!("{variants} variants") }
}

/// The folder of what begins now.
pub(super) fn folder(out: Option<&Path>, seed: u64, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    match out {
        Some(out) => run_folder::own(out).map_err(Failure::usage),
        None => {
            let name = run_folder::name(surroundings.now, seed);
            run_folder::under(Path::new(run_folder::REPORTS), &name).map_err(Failure::error)
        }
    }
}

fn point_latest(folder: &Path) {
    if let Err(why) = run_folder::point_latest(Path::new(run_folder::REPORTS), folder) {
        let text =
            format!("overheard: reports/latest could not be written ({why}); name the run by its folder");
        print::note(&text);
    }
}
