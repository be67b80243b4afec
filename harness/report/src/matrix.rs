//! Reports of a matrix of clients: each file declares one [`MatrixFormat`].
//!
//! Invariant: what is no pass is told with its reason, and a cell that was not run says so.

pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;

use model::matrix::{Against, Cell, CellVerdict, Matrix};

use crate::closing::LIMITS;
use crate::format::RenderError;
use crate::page::Tone;

/// One way to render a matrix.
pub struct MatrixFormat {
    /// The value of `--format`.
    pub name: &'static str,
    /// What it is for, in one clause.
    pub about: &'static str,
    /// The whole report; it ends in a line feed.
    pub render: fn(&Matrix, &MatrixOptions) -> Result<String, RenderError>,
}

/// Every format, in the order in which the help lists them.
pub static MATRIX_FORMATS: &[&MatrixFormat] =
    &[&terminal::FORMAT, &json::FORMAT, &html::FORMAT, &markdown::FORMAT];

/// How a matrix is shown and where its evidence is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatrixOptions {
    /// Whether the terminal's report is coloured.
    pub colour: bool,
    /// Columns of the terminal's report.
    pub width: usize,
    /// The folder of the matrix, as the user would write it.
    pub folder: String,
    /// The folder of the matrix as seen from the page that links to it: empty, or with a slash at its end.
    pub links: String,
}

/// What no matrix says, whatever its cells.
pub fn does_not_say() -> String {
    format!("A cell speaks of its variants alone, between these two clients, each run once. {LIMITS}")
}

/// Sign, letter and tone of a verdict.
fn marks(verdict: CellVerdict) -> (char, char, Tone) {
    match verdict {
        CellVerdict::Pass => ('\u{2713}', 'P', Tone::Good),
        CellVerdict::Fail => ('\u{2717}', 'F', Tone::Bad),
        CellVerdict::Error => ('!', 'E', Tone::Bad),
        CellVerdict::Inconclusive => ('?', 'I', Tone::Doubt),
        CellVerdict::NotRun => ('\u{2026}', 'N', Tone::Doubt),
        CellVerdict::Unsupported => ('-', 'U', Tone::Plain),
    }
}

/// `2/3`: how many of the cell's variants passed.
fn count(cell: &Cell) -> String {
    format!("{}/{}", cell.passed(), cell.runs.len())
}

/// The cell of a pair.
fn cell<'m>(matrix: &'m Matrix, caller: &str, callee: &str) -> Option<&'m Cell> {
    matrix.cells.iter().find(|cell| cell.caller == caller && cell.callee == callee)
}

/// Cells that have something to say: no pass, or worse than the baseline.
fn told(matrix: &Matrix) -> impl Iterator<Item = &Cell> {
    let worse = |cell: &&Cell| cell.against == Some(Against::Worse);
    matrix.cells.iter().filter(move |cell| cell.verdict != CellVerdict::Pass || worse(cell))
}

/// What stands beside the verdict: the baseline's opinion, in words.
fn against(cell: &Cell) -> Option<&'static str> {
    match cell.against? {
        Against::Worse => Some("worse than the baseline"),
        Against::Better => Some("better than the baseline"),
        Against::Added => Some("not in the baseline"),
        Against::Same => None,
    }
}

/// Verdicts that occur, with how many cells have each.
fn totals(matrix: &Matrix) -> Vec<(CellVerdict, usize)> {
    let totals = &matrix.totals;
    let all = [
        (CellVerdict::Pass, totals.pass),
        (CellVerdict::Fail, totals.fail),
        (CellVerdict::Error, totals.error),
        (CellVerdict::Inconclusive, totals.inconclusive),
        (CellVerdict::NotRun, totals.not_run),
        (CellVerdict::Unsupported, totals.unsupported),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// What the baseline has and the matrix does not, one phrase each.
fn lost(matrix: &Matrix) -> impl Iterator<Item = String> {
    matrix.lost.iter().map(|lost| match &lost.variant {
        Some(variant) => format!("{} calls {}: {variant} passed in the baseline", lost.caller, lost.callee),
        None => format!("{} calls {}: the cell of the baseline", lost.caller, lost.callee),
    })
}

#[cfg(test)]
pub(crate) mod sample {
    use model::matrix::{
        Against, Cell, CellRun, CellTotals, CellVerdict, LostCell, Matrix, MatrixClient, SCHEMA,
    };
    use model::plan::NetKind;
    use model::record::Tool;

    fn cell(caller: &str, callee: &str, verdicts: [CellVerdict; 2], why: &str) -> Cell {
        let variants = ["opt-in/both-on", "relay/direct-stays-direct[profile=frames]"];
        let runs = variants.iter().zip(verdicts).map(|(variant, verdict)| CellRun {
            variant: (*variant).to_owned(),
            verdict,
            why: why.to_owned(),
            capture: None,
        });
        let ran = verdicts.iter().any(|verdict| *verdict > CellVerdict::NotRun)
            || verdicts.contains(&CellVerdict::Pass);
        let folder = ran.then(|| format!("{caller}--{callee}"));
        Cell {
            caller: caller.to_owned(),
            callee: callee.to_owned(),
            verdict: verdicts.into_iter().max().unwrap_or(CellVerdict::NotRun),
            why: why.to_owned(),
            against: None,
            report: folder.as_ref().map(|folder| format!("{folder}/report.html")),
            folder,
            runs: runs.collect(),
        }
    }

    /// Two clients, one of which fails, with something of every kind.
    pub fn matrix() -> Matrix {
        use CellVerdict::{Fail, NotRun, Pass, Unsupported};
        let client = |name: &str, missing: Option<&str>| MatrixClient {
            name: name.to_owned(),
            implementation: Some(format!("{name} 1.0")),
            capabilities: Some(vec!["frames".to_owned(), "audio".to_owned()]),
            missing: missing.map(str::to_owned),
        };
        let mut cells = vec![
            cell("reference", "reference", [Pass, Pass], ""),
            cell("reference", "theirs", [Pass, Fail], "proof/heard: 3 packets do not open"),
            cell("theirs", "reference", [Pass, Unsupported], "hop keys cannot be exported"),
            cell("theirs", "theirs", [NotRun, NotRun], "the run was stopped before"),
        ];
        cells[1].against = Some(Against::Worse);
        Matrix {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0.0.0".to_owned() },
            run: "20260102T030405Z-7".to_owned(),
            seed: "7".to_owned(),
            net: NetKind::Loopback,
            partial: true,
            verdict: Fail,
            clients: vec![client("reference", None), client("theirs", Some("it does not start"))],
            variants: cells[0].runs.iter().map(|run| run.variant.clone()).collect(),
            cells,
            lost: vec![LostCell { caller: "gone".to_owned(), callee: "reference".to_owned(), variant: None }],
            totals: CellTotals { pass: 1, fail: 1, unsupported: 1, not_run: 1, ..CellTotals::default() },
        }
    }

    /// The same with names and reasons that are markup, and that steer terminals.
    pub fn hostile() -> Matrix {
        let hostile = "<img src=x>|\u{1b}[2J\"'&";
        let mut matrix = matrix();
        for cell in &mut matrix.cells {
            cell.why = hostile.to_owned();
            cell.callee = cell.callee.replace("theirs", hostile);
            cell.caller = cell.caller.replace("theirs", hostile);
            cell.runs.iter_mut().for_each(|run| run.why = hostile.to_owned());
        }
        for client in &mut matrix.clients {
            client.name = client.name.replace("theirs", hostile);
            client.implementation = Some(hostile.to_owned());
            client.capabilities = Some(vec![hostile.to_owned()]);
        }
        matrix.lost[0].caller = hostile.to_owned();
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_tells_each_cell_that_is_no_pass_and_what_is_not_said() {
        for format in MATRIX_FORMATS {
            let text = (format.render)(&sample::matrix(), &MatrixOptions::default()).expect("renders");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "3 packets do not open",
                "hop keys cannot be exported",
                "the run was stopped before",
                "people who do not compare codes",
                "gone",
            ] {
                assert!(flat.contains(part), "{}: {part} is missing in {text}", format.name);
            }
            assert!(text.ends_with('\n'), "{} does not end its last line", format.name);
        }
    }

    #[test]
    fn what_others_chose_steers_no_reader() {
        for format in MATRIX_FORMATS {
            let text = (format.render)(&sample::hostile(), &MatrixOptions::default()).expect("renders");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{}: {text:?}", format.name);
        }
    }

    #[test]
    fn a_verdict_is_told_by_a_letter_of_its_own() {
        let letters: std::collections::BTreeSet<char> =
            CellVerdict::ALL.iter().map(|verdict| marks(*verdict).1).collect();
        assert_eq!(letters.len(), CellVerdict::ALL.len());
    }
}
