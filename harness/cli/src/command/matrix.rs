//! `overheard matrix [PATH…]`: runs every ordered pair of clients over some scenarios and draws the table.
//!
//! Invariant: whatever stops it, the table is written, and what was not run is told as such.

use std::path::{Component, Path, PathBuf};

use model::matrix::{Matrix, SCHEMA};
use model::plan::NetKind;
use model::record::Tool;
use report::{MatrixFormat, MatrixOptions};

use super::run;
use crate::arguments::{self, Reporting};
use crate::conclude::{Conclusion, write_whole};
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format_choice::{FormatChoice, complete};
use crate::interrupt::Interrupt;
use crate::matrix::pair::Table;
use crate::matrix::{compare, roster, whole};
use crate::planning::{self, Variant};
use crate::surroundings::Surroundings;
use crate::{diagnostics, print, sources};

/// What a matrix runs when no path is given, of the built-in set: sealed over the forwarder, sealed directly, and an
/// ordinary call in which one of the two has opted in. All of it with audio, which every client has.
const SMALL_SET: &[&str] = &[
    "opt-in/both-on",
    "relay/direct-stays-direct[profile=frames]",
    "security-code/none-in-an-ordinary-call[profile=frames]",
];

/// What is written with every matrix, beside what was asked for.
const ALWAYS: &[(&MatrixFormat, &str)] =
    &[(&report::matrix::json::FORMAT, "matrix.json"), (&report::matrix::html::FORMAT, "matrix.html")];

/// Chooses, runs pair by pair, compares and reports.
///
/// # Errors
/// When nothing may run, or what ran cannot be recorded, judged or reported.
pub fn matrix(arguments: &arguments::Matrix, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let configuration = Configuration::in_folder(&surroundings.folder).map_err(Failure::usage)?;
    let formats = complete(arguments.formats.clone()).map_err(Failure::usage)?;
    let timeout = run::timeout(arguments.timeout, &configuration)?;
    let baseline = arguments.baseline.as_deref().map(compare::baseline).transpose()?;
    let chosen = roster::chosen(&arguments.clients, &configuration.clients).map_err(Failure::usage)?;
    let (variants, whence) = variants(arguments, &configuration, surroundings)?;
    let interrupt = Interrupt::on_signals().map_err(Failure::error)?;
    let folder = run::folder(arguments.out.as_deref(), arguments.seed, surroundings)?;
    if !arguments.quiet {
        let pairs = chosen.len() * chosen.len();
        print::note(&format!("{whence}: {} in each of {pairs} cells", run::count(variants.len())));
    }
    // Whoever is named has to be there; whoever only stands in the configuration need not be installed.
    let required = surroundings.peers_required || !arguments.clients.is_empty();
    let entrants = roster::introduced(chosen, required);
    let table = Table {
        folder: &folder,
        variants: &variants,
        seed: arguments.seed,
        jobs: arguments.jobs.map_or(surroundings.processors, usize::from),
        timeout,
        conclusion: conclusion(arguments, &configuration, surroundings, &variants)?,
        interrupt: &interrupt,
    };
    let mut cells = Vec::new();
    for (caller, callee) in entrants.iter().flat_map(|row| entrants.iter().map(move |column| (row, column))) {
        let cell = table.cell(caller, callee)?;
        if !arguments.quiet && !interrupt.raised() {
            let (passed, of) = (cell.passed(), cell.runs.len());
            print::note(&format!(
                "{} calls {}: {}, {passed} of {of}",
                cell.caller, cell.callee, cell.verdict
            ));
        }
        cells.push(cell);
    }
    let mut matrix = Matrix {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        run: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        seed: arguments.seed.to_string(),
        net: NetKind::Loopback,
        partial: interrupt.raised(),
        verdict: whole::verdict(&cells),
        clients: entrants.iter().map(roster::Entrant::entry).collect(),
        variants: variants.iter().map(|variant| variant.plan.id.clone()).collect(),
        totals: whole::totals(&cells),
        cells,
        lost: Vec::new(),
    };
    if let Some(baseline) = &baseline {
        compare::compare(&mut matrix, baseline);
    }
    let exit = whole::exit(&matrix, interrupt.raised());
    let written = write(&matrix, &formats, &folder, arguments, surroundings);
    written.map(|()| exit).map_err(|failure| Failure { exit: failure.exit.or(exit), ..failure })
}

/// What each cell runs, and where it is from.
fn variants(
    arguments: &arguments::Matrix,
    configuration: &Configuration,
    surroundings: &Surroundings,
) -> Result<(Vec<Variant>, String), Failure> {
    let small = arguments.paths.is_empty();
    let sources = match small {
        true => sources::built_in(),
        false => sources::gather(&arguments.paths, Path::new(sources::SCENARIOS)).map_err(Failure::usage)?,
    };
    let variants = planning::plan(&sources, &planning::vocabulary())
        .map_err(|mistakes| diagnostics::mistaken(&mistakes, surroundings))?;
    // The configuration's filter is for scenarios that somebody has; the small set is chosen already.
    let filter = match small {
        true => arguments.filter.clone().unwrap_or_default(),
        false => run::filter(arguments.filter.as_ref(), configuration)?,
    };
    let wanted = |id: &str| (!small || SMALL_SET.contains(&id)) && filter.fits(id);
    let variants: Vec<Variant> = variants.into_iter().filter(|v| wanted(&v.plan.id)).collect();
    if variants.is_empty() {
        let text = "no variant is selected; see overheard list scenarios, and the filter that was given";
        return Err(Failure { exit: Exit::NothingSelected, text: text.to_owned() });
    }
    let whence = match small {
        true => "the small set".to_owned(),
        false => sources::whence(&arguments.paths, &sources),
    };
    Ok((variants, whence))
}

/// How cells are judged. Known failures are left out: the baseline of a matrix says what was red before.
fn conclusion(
    arguments: &arguments::Matrix,
    configuration: &Configuration,
    surroundings: &Surroundings,
    variants: &[Variant],
) -> Result<Conclusion, Failure> {
    let reporting = Reporting { sweep: arguments.sweep, ..Reporting::default() };
    let mut conclusion = Conclusion::of(&reporting, configuration, surroundings)?;
    conclusion.origins = variants.iter().map(|v| (v.plan.id.clone(), v.origin.clone())).collect();
    Ok(conclusion)
}

/// Writes every report; the one for standard output comes last, and also when a file fails.
fn write(
    matrix: &Matrix,
    formats: &[FormatChoice<MatrixFormat>],
    folder: &Path,
    arguments: &arguments::Matrix,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    let options = MatrixOptions {
        colour: false,
        width: surroundings.width(),
        folder: folder.display().to_string(),
        links: String::new(),
    };
    let always = ALWAYS.iter().map(|(format, file)| (*format, folder.join(file)));
    let asked = formats.iter().filter_map(|choice| Some((choice.format, choice.file.clone()?)));
    let mut outcome = Ok(());
    for (format, file) in always.chain(asked) {
        let links = links(&file, folder);
        let text =
            (format.render)(matrix, &MatrixOptions { links, ..options.clone() }).map_err(Failure::bug)?;
        if let Err(why) = write_whole(&file, &text) {
            outcome = Err(Failure::error(format!(
                "`{}` cannot be written ({why}); make room or name another file",
                file.display()
            )));
        }
    }
    let colour = surroundings.coloured(arguments.color.unwrap_or_default());
    let options = MatrixOptions { colour, ..options };
    for choice in formats.iter().filter(|choice| choice.file.is_none()) {
        let text = (choice.format.render)(matrix, &options).map_err(Failure::bug)?;
        print::stdout(text.as_bytes())?;
    }
    outcome
}

/// The way from the page `file` to what lies in `folder`: empty, or with a slash at its end.
fn links(file: &Path, folder: &Path) -> String {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let beside = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (from, to) = (whole(beside), whole(folder));
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way: PathBuf = from.iter().skip(shared).map(|_| "..").collect();
    way.extend(to.iter().skip(shared));
    let way = way.to_string_lossy().into_owned();
    if way.is_empty() { way } else { format!("{way}/") }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_small_set_is_there() {
        let surroundings = Surroundings::look();
        let (variants, _) = variants(&arguments::Matrix::default(), &Configuration::default(), &surroundings)
            .expect("planned");
        let ids: Vec<&str> = variants.iter().map(|variant| variant.plan.id.as_str()).collect();
        assert_eq!(ids, SMALL_SET);
    }

    #[rstest]
    #[case::in_it("r/matrix.html", "")]
    #[case::beside_it("page.html", "r/")]
    #[case::elsewhere("public/pages/page.html", "../../r/")]
    #[case::below_it("r/pages/page.html", "../")]
    fn a_page_finds_the_evidence_from_where_it_lies(#[case] file: &str, #[case] expected: &str) {
        assert_eq!(links(Path::new(file), Path::new("r")), expected);
    }
}
