//! The matrix as a whole: its totals, its verdict, and how the command ends for it.

use model::matrix::{Against, Cell, CellTotals, CellVerdict, Matrix};

use super::compare::is_red;
use super::pair;
use crate::exit::Exit;

/// How many cells came to what.
pub fn totals(cells: &[Cell]) -> CellTotals {
    let count = |verdict| cells.iter().filter(|cell| cell.verdict == verdict).count();
    CellTotals {
        pass: count(CellVerdict::Pass),
        fail: count(CellVerdict::Fail),
        error: count(CellVerdict::Error),
        inconclusive: count(CellVerdict::Inconclusive),
        unsupported: count(CellVerdict::Unsupported),
        not_run: count(CellVerdict::NotRun),
    }
}

/// The worst of the cells.
pub fn verdict(cells: &[Cell]) -> CellVerdict {
    cells.iter().map(|cell| cell.verdict).max().unwrap_or(CellVerdict::NotRun)
}

/// How the command ends: for the worst cell, or against a baseline for the worst of those that got worse, and for what is
/// lost. What clients cannot do is no failure where anything passed.
pub fn exit(matrix: &Matrix, interrupted: bool) -> Exit {
    let passed = matrix.cells.iter().any(|cell| cell.passed() > 0);
    let floor = if passed { Exit::Pass } else { Exit::Inconclusive };
    let ended = matrix.cells.iter().map(|cell| match cell.against {
        None if cell.verdict == CellVerdict::Unsupported => Exit::Pass,
        None | Some(Against::Worse) => pair::exit(cell.verdict),
        Some(Against::Added) if is_red(cell.verdict) => pair::exit(cell.verdict),
        Some(Against::Added | Against::Same | Against::Better) => Exit::Pass,
    });
    let lost = if matrix.lost.is_empty() { Exit::Pass } else { Exit::Inconclusive };
    let stopped = if interrupted { Exit::Interrupted } else { Exit::Pass };
    ended.chain([floor, lost, stopped]).fold(Exit::Pass, Exit::or)
}

/// A matrix of these cells, each with variants `family/0`, `family/1` and so on.
#[cfg(test)]
pub fn sample(cells: &[(&str, &str, &[CellVerdict])]) -> Matrix {
    use model::matrix::{CellRun, SCHEMA};

    let cell = |(caller, callee, verdicts): &(&str, &str, &[CellVerdict])| {
        let run = |(n, verdict): (usize, &CellVerdict)| CellRun {
            variant: format!("family/{n}"),
            verdict: *verdict,
            why: String::new(),
            capture: None,
        };
        let runs: Vec<CellRun> = verdicts.iter().enumerate().map(run).collect();
        let verdict = verdicts.iter().copied().max().unwrap_or(CellVerdict::NotRun);
        Cell {
            caller: (*caller).to_owned(),
            callee: (*callee).to_owned(),
            verdict,
            why: String::new(),
            against: None,
            folder: (verdict != CellVerdict::NotRun).then(|| "f".to_owned()),
            report: None,
            runs,
        }
    };
    let cells: Vec<Cell> = cells.iter().map(cell).collect();
    Matrix {
        schema: SCHEMA.to_owned(),
        tool: model::record::Tool { name: "overheard".to_owned(), version: "0".to_owned() },
        run: "r".to_owned(),
        seed: "0".to_owned(),
        net: model::plan::NetKind::Loopback,
        partial: false,
        verdict: verdict(&cells),
        clients: Vec::new(),
        variants: Vec::new(),
        totals: totals(&cells),
        cells,
        lost: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::matrix::compare::compare;
    use CellVerdict::{Error, Fail, Inconclusive, NotRun, Pass, Unsupported};

    #[rstest]
    #[case::all_pass(&[Pass], Exit::Pass)]
    #[case::what_cannot_be_done_is_no_failure(&[Pass, Unsupported], Exit::Pass)]
    #[case::nothing_passed(&[Unsupported], Exit::Inconclusive)]
    #[case::nothing_ran(&[], Exit::Inconclusive)]
    #[case::not_run(&[Pass, NotRun], Exit::Inconclusive)]
    #[case::doubt(&[Pass, Inconclusive], Exit::Inconclusive)]
    #[case::an_error_before_doubt(&[Pass, Inconclusive, Error], Exit::Error)]
    #[case::a_fail_before_an_error(&[Pass, Error, Fail], Exit::Fail)]
    fn the_worst_cell_decides(#[case] verdicts: &[CellVerdict], #[case] expected: Exit) {
        let cells: Vec<_> =
            verdicts.iter().map(|verdict| ("a", "b", std::slice::from_ref(verdict))).collect();
        let matrix = sample(&cells);
        assert_eq!(exit(&matrix, false), expected);
        assert_eq!(exit(&matrix, true), Exit::Interrupted);
    }

    #[rstest]
    #[case::red_as_before(&[("a", "a", &[Pass][..]), ("a", "b", &[Fail][..])][..], Exit::Pass)]
    #[case::newly_red(&[("a", "a", &[Fail][..]), ("a", "b", &[Fail][..])][..], Exit::Fail)]
    #[case::newly_in_doubt(&[("a", "a", &[Inconclusive][..]), ("a", "b", &[Fail][..])][..], Exit::Inconclusive)]
    #[case::no_more_supported(&[("a", "a", &[Unsupported][..]), ("a", "b", &[Fail][..])][..], Exit::Inconclusive)]
    #[case::mended(&[("a", "a", &[Pass][..]), ("a", "b", &[Pass][..])][..], Exit::Pass)]
    #[case::lost(&[("a", "a", &[Pass][..])][..], Exit::Inconclusive)]
    #[case::a_new_cell_that_fails(&[("a", "a", &[Pass][..]), ("a", "b", &[Fail][..]), ("b", "a", &[Fail][..])][..], Exit::Fail)]
    #[case::a_new_cell_that_cannot(&[("a", "a", &[Pass][..]), ("a", "b", &[Fail][..]), ("b", "a", &[Unsupported][..])][..], Exit::Pass)]
    fn against_a_baseline_only_what_is_worse_or_lost_is_red(
        #[case] now: &[(&str, &str, &[CellVerdict])],
        #[case] expected: Exit,
    ) {
        let mut matrix = sample(now);
        compare(&mut matrix, &sample(&[("a", "a", &[Pass][..]), ("a", "b", &[Fail][..])]));
        assert_eq!(exit(&matrix, false), expected);
    }

    #[test]
    fn every_cell_is_counted_once() {
        let cells: Vec<_> =
            CellVerdict::ALL.iter().map(|verdict| ("a", "b", std::slice::from_ref(verdict))).collect();
        let t = sample(&cells).totals;
        assert_eq!([t.pass, t.fail, t.error, t.inconclusive, t.unsupported, t.not_run], [1; 6]);
    }
}
