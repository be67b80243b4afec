//! `overheard driver check -- COMMAND…`: does a driver keep to the protocol?

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use model::Role;
use model::driver_check::{DriverCheck, ProbeState, SCHEMA};
use model::plan::NetKind;
use model::record::{Line, Tool, WorldKind};
use model::results::Sweep;
use report::{DriverFormat, Options, Origin};
use runner::check::{CheckSetup, Checked};
use runner::{Outsider, Planned, RunSetup, Watch};

use crate::arguments::DriverCheck as Arguments;
use crate::client_choice;
use crate::conclude;
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format_choice::{FormatChoice, complete};
use crate::interrupt::Interrupt;
use crate::planning;
use crate::progress::Progress;
use crate::sources::Source;
use crate::surroundings::Surroundings;
use crate::{print, run_folder};

/// The calls of a check end after this, whatever happens.
const CALLS_WITHIN: Duration = Duration::from_secs(60);

/// Probes a driver and reports.
///
/// # Errors
/// When the arguments are wrong, or the harness stumbles before there is anything to report.
pub fn check(arguments: &Arguments, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let configuration = Configuration::in_folder(&surroundings.folder).map_err(Failure::usage)?;
    let formats = complete(arguments.formats.clone()).map_err(Failure::usage)?;
    let outsider = outsider(arguments, &configuration)?;
    let filter = arguments.filter.clone().unwrap_or_default();
    let wanted: BTreeSet<&str> = runner::check::ids().into_iter().filter(|id| filter.fits(id)).collect();
    if wanted.is_empty() {
        let text = format!("no probe is selected; there are {}", runner::check::ids().join(", "));
        return Err(Failure { exit: Exit::NothingSelected, text });
    }
    let interrupt = Interrupt::on_signals().map_err(Failure::error)?;
    let progress = Progress::of("probes", wanted.len(), !arguments.quiet && surroundings.stderr_terminal);
    let patience = arguments.deadline.map_or(Duration::from_secs(5), |limit| limit.0);
    let interrupted = interrupt.flag();
    let setup = CheckSetup {
        outsider: &outsider,
        wanted: &wanted,
        patience,
        interrupted: &interrupted,
        on_probe: &|id| {
            progress.began(id);
            progress.ended();
        },
    };
    let mut checked = runner::check::check(&setup).map_err(Failure::error)?;
    if runner::check::CALL_PROBES.iter().any(|probe| wanted.contains(probe.id)) && !interrupt.raised() {
        progress.began("calls");
        let called = calls(arguments, &outsider, &checked, &wanted, &interrupt)?;
        checked.probes.extend(called);
    }
    progress.close();
    let check = DriverCheck {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        driver: outsider.name,
        implementation: checked.implementation,
        probes: checked.probes,
    };
    let exit = if interrupt.raised() { Exit::Interrupted } else { exit(&check) };
    write(&formats, &check, arguments, surroundings).map(|()| exit)
}

fn tool() -> Tool {
    Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// A check in which nothing passed is no pass.
fn exit(check: &DriverCheck) -> Exit {
    let any = |state| check.ended(state).next().is_some();
    if any(ProbeState::Failed) {
        Exit::Fail
    } else if any(ProbeState::Error) {
        Exit::Error
    } else if any(ProbeState::Passed) {
        Exit::Pass
    } else {
        Exit::Inconclusive
    }
}

fn outsider(arguments: &Arguments, configuration: &Configuration) -> Result<Outsider, Failure> {
    match (&arguments.client, arguments.command.is_empty()) {
        (Some(name), true) => {
            let outsider = client_choice::outsider(name, &configuration.clients).map_err(Failure::usage)?;
            outsider.ok_or_else(|| {
                Failure::usage(
                    "the reference client inside the harness has no driver; check `overheard client`",
                )
            })
        }
        (None, false) => {
            let words = arguments.command.iter().map(|word| word.to_string_lossy().into_owned());
            let name = words.collect::<Vec<_>>().join(" ");
            Ok(Outsider { name, command: adapters::Command { words: arguments.command.clone() } })
        }
        _ => Err(Failure::usage(
            "say which driver: overheard driver check -- COMMAND ARGUMENTS, or --client NAME of overheard.yaml",
        )),
    }
}

/// Plays the calls, judges them, and gives what their probes came to.
fn calls(
    arguments: &Arguments,
    outsider: &Outsider,
    checked: &Checked,
    wanted: &BTreeSet<&'static str>,
    interrupt: &Interrupt,
) -> Result<Vec<model::driver_check::ProbeResult>, Failure> {
    let Some(text) = runner::check::playable(checked) else {
        return Ok(runner::check::judged(None, checked, wanted));
    };
    let passing;
    let folder = match &arguments.out {
        Some(out) => run_folder::own(out).map_err(Failure::usage)?,
        None => {
            passing = tempfile::tempdir().map_err(Failure::error)?;
            passing.path().to_owned()
        }
    };
    audit::self_test::self_test().map_err(Failure::bug)?;
    play(&folder, &text, outsider, interrupt)?;
    let record = conclude::record_in(&folder)?;
    let options = audit::judge::Options { sweep: Sweep::Light };
    let results = audit::judge::judge(&folder, &record, &options);
    let world = record.lines.iter().find_map(|line| match line {
        Line::World(world) if world.world == WorldKind::Variant => Some(world.as_ref()),
        _ => None,
    });
    match (world, results.scenarios.first()) {
        (Some(world), Some(judged)) => Ok(runner::check::judged(Some((world, judged)), checked, wanted)),
        _ => Err(Failure::error("the calls of the check left no record; run it again")),
    }
}

fn play(folder: &Path, text: &str, outsider: &Outsider, interrupt: &Interrupt) -> Result<(), Failure> {
    let source = Source {
        family: "opt-in".to_owned(),
        stem: "driver-check".to_owned(),
        display: "the scenario of the check".to_owned(),
        text: text.to_owned(),
        origin: Origin::BuiltIn,
    };
    let variants = planning::plan(&[source], &planning::vocabulary())
        .map_err(|_| Failure::bug("the scenario of the check is not sound"))?;
    let planned = variants.into_iter().map(|variant| Planned {
        plan: variant.plan,
        expected: variant.expected,
        net: NetKind::Loopback,
        unsupported: None,
    });
    let run = runner::Run::begin(RunSetup {
        folder: folder.to_owned(),
        tool: tool(),
        seed: 0,
        net: NetKind::Loopback,
        planned: planned.collect(),
        shard: None,
        jobs: 1,
        meddler: None,
        outsiders: [(Role::Caller, outsider.clone())].into(),
    });
    let start = Instant::now();
    let watch = Watch { interrupted: &interrupt.flag(), timeout: CALLS_WITHIN, now: &|| start.elapsed() };
    run.map_err(Failure::error)?.execute(&watch, &|_| {}).map(drop).map_err(Failure::error)
}

fn write(
    formats: &[FormatChoice<DriverFormat>],
    check: &DriverCheck,
    arguments: &Arguments,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    for choice in formats {
        let options = Options {
            colour: choice.file.is_none() && surroundings.coloured(arguments.color.unwrap_or_default()),
            width: surroundings.width(),
            ..Options::default()
        };
        let text = (choice.format.render)(check, &options).map_err(Failure::bug)?;
        match &choice.file {
            None => print::stdout(text.as_bytes())?,
            Some(file) => conclude::write_whole(file, &text).map_err(|why| {
                let file = file.display();
                Failure::error(format!("`{file}` cannot be written ({why}); make room or name another file"))
            })?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::driver_check::ProbeResult;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::all_passed(&[ProbeState::Passed], Exit::Pass)]
    #[case::undeclared(&[ProbeState::Passed, ProbeState::Skipped], Exit::Pass)]
    #[case::failed(&[ProbeState::Passed, ProbeState::Error, ProbeState::Failed], Exit::Fail)]
    #[case::stumbled(&[ProbeState::Passed, ProbeState::Error], Exit::Error)]
    #[case::nothing_tried(&[ProbeState::Skipped], Exit::Inconclusive)]
    #[case::nothing(&[], Exit::Inconclusive)]
    fn the_worst_probe_decides(#[case] states: &[ProbeState], #[case] due: Exit) {
        let probe = |state: &ProbeState| ProbeResult {
            id: "a/b".to_owned(),
            state: *state,
            asked: String::new(),
            came: String::new(),
            hint: None,
        };
        let check = DriverCheck {
            schema: SCHEMA.to_owned(),
            tool: tool(),
            driver: String::new(),
            implementation: None,
            probes: states.iter().map(probe).collect(),
        };
        assert_eq!(exit(&check), due);
    }
}
