//! `overheard judge RUN`: judges a saved run again from its record, captures and keys alone.

use std::path::Path;

use crate::arguments::Judge;
use crate::conclude::Conclusion;
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::known_failures::KnownFailures;
use crate::run_folder;
use crate::surroundings::Surroundings;

/// Judges and reports.
///
/// # Errors
/// When there is no such run, or it cannot be judged or reported.
pub fn judge(arguments: &Judge, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let configuration = Configuration::in_folder(&surroundings.folder).map_err(Failure::usage)?;
    let mut conclusion = Conclusion::of(&arguments.reporting, &configuration, surroundings)?;
    let folder = run_folder::find(Path::new(run_folder::REPORTS), &arguments.run).map_err(Failure::usage)?;
    // Whether an entry names a variant that exists was asked when the scenarios were at hand.
    let list = configuration.known_failures.as_slice();
    conclusion.known =
        KnownFailures::read(list, |_| true, &crate::catalogue::check_names()).map_err(|mistakes| {
            Failure::usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
    conclusion.conclude(&folder, false)
}
