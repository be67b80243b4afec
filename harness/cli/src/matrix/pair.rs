//! One cell: the run of one client calling another, judged, reported, and put into one word.
//!
//! Invariant: the word is the worst of the variants', and a pass only where one passed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Role;
use model::matrix::{Cell, CellRun, CellVerdict};
use model::plan::NetKind;
use model::results::Results;
use model::verdict::Ending;

use super::roster::{self, Entrant};
use crate::conclude::Conclusion;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format_choice::FormatChoice;
use crate::interrupt::Interrupt;
use crate::planning::Variant;
use crate::run_folder::RECORD;
use crate::running::{self, Order};

/// The report of a cell in its folder.
const REPORT: &str = "report.html";

/// What every cell of a matrix is run with.
pub struct Table<'a> {
    /// The folder of the matrix.
    pub folder: &'a Path,
    /// What each cell runs.
    pub variants: &'a [Variant],
    /// The seed of every cell.
    pub seed: u64,
    /// How many worlds of one cell run at once.
    pub jobs: usize,
    /// For each world, in real time.
    pub timeout: Duration,
    /// How to judge.
    pub conclusion: Conclusion,
    /// Whether to stop.
    pub interrupt: &'a Interrupt,
}

impl Table<'_> {
    /// Runs one cell. A client that takes no part, or a stop, leaves a cell without a run.
    ///
    /// # Errors
    /// When nothing can be written, or the judge's self-test fails.
    pub fn cell(&self, caller: &Entrant, callee: &Entrant) -> Result<Cell, Failure> {
        if self.interrupt.raised() {
            return Ok(self.without_a_run(
                caller,
                callee,
                CellVerdict::NotRun,
                "the matrix was stopped before",
            ));
        }
        let absent = [caller, callee].into_iter().filter_map(|side| {
            let (verdict, why) = side.introduced.as_ref().err()?;
            Some((*verdict, format!("{}: {why}", side.name)))
        });
        if let Some((verdict, why)) = absent.max() {
            return Ok(self.without_a_run(caller, callee, verdict, &why));
        }
        let name = roster::folder(&caller.name, &callee.name);
        let folder = self.folder.join(&name);
        std::fs::create_dir_all(&folder).map_err(|why| {
            Failure::error(format!("`{}` cannot be made ({why}); make room and run again", folder.display()))
        })?;
        let ran = self.run(folder.clone(), caller, callee);
        if !folder.join(RECORD).exists() {
            let why = ran.err().map_or_else(|| "nothing was recorded".to_owned(), |failure| failure.text);
            return Ok(self.without_a_run(caller, callee, CellVerdict::Error, &why));
        }
        let report = FormatChoice { format: &report::html::FORMAT, file: Some(folder.join(REPORT)) };
        let conclusion = Conclusion { formats: vec![report], ..self.conclusion.clone() };
        let results = conclusion.judged(&folder)?;
        conclusion.write(&results, &folder)?;
        let stumbled = ran.err().map(|failure| failure.text);
        let runs = self.runs(&results, stumbled.as_deref());
        let mut cell = concluded(caller, callee, runs);
        cell.report = Some(format!("{name}/{REPORT}"));
        cell.folder = Some(name);
        Ok(cell)
    }

    fn run(&self, folder: PathBuf, caller: &Entrant, callee: &Entrant) -> Result<(), Failure> {
        let sides = [(Role::Caller, caller), (Role::Callee, callee)];
        let outside = |(role, side): (Role, &Entrant)| Some((role, side.outsider.clone()?));
        let outsiders: BTreeMap<_, _> = sides.into_iter().filter_map(outside).collect();
        let declares = |(role, side): (Role, &Entrant)| {
            side.outsider.as_ref()?;
            Some((role, side.introduced.as_ref().ok().map(|here| here.capabilities.clone())))
        };
        let order = Order {
            folder,
            seed: self.seed,
            // The reference client calls itself over sockets too, so that cells are alike.
            net: Some(NetKind::Loopback),
            jobs: self.jobs,
            shard: None,
            declared: sides.into_iter().filter_map(declares).collect(),
            outsiders,
        };
        let setup = running::setup(order, self.variants.to_vec());
        running::execute(setup, self.interrupt, self.timeout, false)
    }

    /// What each variant came to; one that left nothing is not run, or an error where the run `stumbled`.
    fn runs(&self, results: &Results, stumbled: Option<&str>) -> Vec<CellRun> {
        let came = |variant: &Variant| {
            let id = &variant.plan.id;
            let Some(scenario) = results.scenarios.iter().find(|scenario| scenario.id == *id) else {
                let (verdict, why) = match stumbled {
                    Some(why) => (CellVerdict::Error, why),
                    None => (CellVerdict::NotRun, "the matrix was stopped before"),
                };
                return CellRun { variant: id.clone(), verdict, why: why.to_owned(), capture: None };
            };
            let verdict = word(scenario.verdict);
            let (why, capture) = (scenario.why.clone(), scenario.capture.clone());
            CellRun { variant: id.clone(), verdict, why, capture }
        };
        self.variants.iter().map(came).collect()
    }

    fn without_a_run(&self, caller: &Entrant, callee: &Entrant, verdict: CellVerdict, why: &str) -> Cell {
        let run = |variant: &Variant| CellRun {
            variant: variant.plan.id.clone(),
            verdict,
            why: why.to_owned(),
            capture: None,
        };
        concluded(caller, callee, self.variants.iter().map(run).collect())
    }
}

/// How a command ends for which a matrix has this worst cell.
pub fn exit(verdict: CellVerdict) -> Exit {
    match verdict {
        CellVerdict::Pass => Exit::Pass,
        CellVerdict::Fail => Exit::Fail,
        CellVerdict::Error => Exit::Error,
        CellVerdict::Inconclusive | CellVerdict::NotRun | CellVerdict::Unsupported => Exit::Inconclusive,
    }
}

/// Known failures are not asked for in a matrix: the baseline says what was red before.
fn word(ending: Ending) -> CellVerdict {
    match ending {
        Ending::Pass => CellVerdict::Pass,
        Ending::Fail | Ending::KnownFailing => CellVerdict::Fail,
        Ending::Error => CellVerdict::Error,
        Ending::Inconclusive => CellVerdict::Inconclusive,
        Ending::Unsupported => CellVerdict::Unsupported,
    }
}

fn concluded(caller: &Entrant, callee: &Entrant, runs: Vec<CellRun>) -> Cell {
    let worst = runs.iter().map(|run| run.verdict).max().unwrap_or(CellVerdict::NotRun);
    Cell {
        caller: caller.name.clone(),
        callee: callee.name.clone(),
        verdict: worst,
        why: reason(&runs),
        against: None,
        folder: None,
        report: None,
        runs,
    }
}

/// Why a cell is no pass, the worst first; a reason that several variants have stands once.
fn reason(runs: &[CellRun]) -> String {
    let mut told: Vec<(CellVerdict, &str, Vec<&str>)> = Vec::new();
    for run in runs.iter().filter(|run| run.verdict != CellVerdict::Pass) {
        match told.iter_mut().find(|(verdict, why, _)| (*verdict, *why) == (run.verdict, run.why.as_str())) {
            Some((_, _, variants)) => variants.push(&run.variant),
            None => told.push((run.verdict, &run.why, vec![&run.variant])),
        }
    }
    told.sort_by_key(|(verdict, _, _)| std::cmp::Reverse(*verdict));
    let all = runs.len();
    let phrase = |(verdict, why, variants): &(CellVerdict, &str, Vec<&str>)| match variants.len() {
        // The verdict of the cell is this one.
        n if n == all => (*why).to_owned(),
        _ => format!("{} {verdict}: {why}", variants.join(", ")),
    };
    told.iter().map(phrase).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn entrant(name: &str) -> Entrant {
        let introduced = Err((CellVerdict::Unsupported, "not here".to_owned()));
        Entrant { name: name.to_owned(), outsider: None, introduced }
    }

    fn run(variant: &str, verdict: CellVerdict, why: &str) -> CellRun {
        CellRun { variant: variant.to_owned(), verdict, why: why.to_owned(), capture: None }
    }

    #[rstest]
    #[case::all_pass(&[CellVerdict::Pass, CellVerdict::Pass], CellVerdict::Pass)]
    #[case::nothing_ran(&[], CellVerdict::NotRun)]
    #[case::one_cannot(&[CellVerdict::Pass, CellVerdict::Unsupported], CellVerdict::Unsupported)]
    #[case::doubt(&[CellVerdict::Unsupported, CellVerdict::Inconclusive], CellVerdict::Inconclusive)]
    #[case::stopped(&[CellVerdict::Pass, CellVerdict::NotRun], CellVerdict::NotRun)]
    #[case::error(&[CellVerdict::Inconclusive, CellVerdict::Error], CellVerdict::Error)]
    #[case::fail(&[CellVerdict::Error, CellVerdict::Fail, CellVerdict::Pass], CellVerdict::Fail)]
    fn a_cell_is_as_bad_as_its_worst_variant(
        #[case] verdicts: &[CellVerdict],
        #[case] expected: CellVerdict,
    ) {
        let runs = verdicts.iter().map(|verdict| run("a/b", *verdict, "why")).collect();
        assert_eq!(concluded(&entrant("a"), &entrant("b"), runs).verdict, expected);
    }

    #[test]
    fn reasons_stand_in_one_line_the_worst_first_and_each_once() {
        let runs = [
            run("a/one", CellVerdict::Unsupported, "no relay"),
            run("a/two", CellVerdict::Pass, "heard by the two devices alone"),
            run("a/three", CellVerdict::Fail, "it leaks"),
            run("a/four", CellVerdict::Unsupported, "no relay"),
        ];
        assert_eq!(reason(&runs), "a/three fail: it leaks; a/one, a/four unsupported: no relay");
        assert_eq!(reason(&runs[..1]), "no relay");
    }

    #[test]
    fn no_ending_but_a_pass_is_a_pass() {
        let passes = Ending::ALL.iter().filter(|ending| word(**ending) == CellVerdict::Pass);
        assert_eq!(passes.collect::<Vec<_>>(), [&Ending::Pass]);
    }
}
