//! `--baseline FILE`: an earlier matrix, against which only what got worse and what was lost is red.

use std::path::Path;

use model::matrix::{Against, Cell, CellRun, CellVerdict, LostCell, Matrix, SCHEMA};

use crate::failure::Failure;

/// The matrix in `file`.
///
/// # Errors
/// When it cannot be read, or is none of this schema.
pub fn baseline(file: &Path) -> Result<Matrix, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "the baseline `{}` is no matrix.json ({why}); name another one",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|why| wrong(&why))?;
    let matrix: Matrix = serde_json::from_str(&text).map_err(|why| wrong(&why))?;
    if matrix.schema == SCHEMA {
        Ok(matrix)
    } else {
        Err(wrong(&format!("its schema is `{}`", matrix.schema)))
    }
}

/// Says of every cell of `matrix` how it stands against `baseline`, and what of the baseline is lost.
pub fn compare(matrix: &mut Matrix, baseline: &Matrix) {
    for cell in &mut matrix.cells {
        let before = same_pair(baseline, &cell.caller, &cell.callee);
        cell.against = Some(before.map_or(Against::Added, |before| against(cell, before)));
    }
    matrix.lost = lost(matrix, baseline);
}

fn same_pair<'m>(matrix: &'m Matrix, caller: &str, callee: &str) -> Option<&'m Cell> {
    matrix.cells.iter().find(|cell| cell.caller == caller && cell.callee == callee)
}

fn same_variant<'c>(cell: &'c Cell, run: &CellRun) -> Option<&'c CellRun> {
    cell.runs.iter().find(|other| other.variant == run.variant)
}

fn against(cell: &Cell, before: &Cell) -> Against {
    let pairs = || cell.runs.iter().filter_map(|run| Some((run.verdict, same_variant(before, run)?.verdict)));
    let fresh = cell.runs.iter().filter(|run| same_variant(before, run).is_none());
    // A variant that the baseline did not run was not red there.
    let newly_red = fresh.map(|run| run.verdict).any(is_red);
    let gone = before.runs.iter().any(|run| was_there(run) && same_variant(cell, run).is_none());
    if newly_red || gone || pairs().any(|(now, then)| now > then) {
        Against::Worse
    } else if pairs().any(|(now, then)| now < then) {
        Against::Better
    } else {
        Against::Same
    }
}

/// Whether something was shown that must be shown again.
fn was_there(run: &CellRun) -> bool {
    run.verdict == CellVerdict::Pass
}

/// Whether what the baseline does not have is red by itself.
pub fn is_red(verdict: CellVerdict) -> bool {
    !matches!(verdict, CellVerdict::Pass | CellVerdict::Unsupported)
}

fn lost(matrix: &Matrix, baseline: &Matrix) -> Vec<LostCell> {
    let mut lost = Vec::new();
    for before in &baseline.cells {
        let named = |variant: Option<String>| LostCell {
            caller: before.caller.clone(),
            callee: before.callee.clone(),
            variant,
        };
        match same_pair(matrix, &before.caller, &before.callee) {
            // A cell that was never run has nothing to lose.
            None if before.folder.is_some() => lost.push(named(None)),
            None => {}
            Some(now) => {
                let ran = |run: &CellRun| {
                    let now = same_variant(now, run).map_or(CellVerdict::NotRun, |run| run.verdict);
                    !matches!(now, CellVerdict::NotRun | CellVerdict::Unsupported)
                };
                let gone = before.runs.iter().filter(|run| was_there(run) && !ran(run));
                lost.extend(gone.map(|run| named(Some(run.variant.clone()))));
            }
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::matrix::whole::sample;
    use CellVerdict::{Error, Fail, Inconclusive, NotRun, Pass, Unsupported};

    #[rstest]
    #[case::same(&[Pass, Fail], &[Pass, Fail], Against::Same)]
    #[case::mended(&[Pass, Pass], &[Pass, Fail], Against::Better)]
    #[case::broken(&[Fail, Pass], &[Pass, Pass], Against::Worse)]
    #[case::another_one_broken(&[Fail, Fail], &[Pass, Fail], Against::Worse)]
    #[case::one_mended_and_another_broken(&[Fail, Pass], &[Pass, Fail], Against::Worse)]
    #[case::no_more_supported(&[Unsupported], &[Pass], Against::Worse)]
    #[case::doubt(&[Inconclusive], &[Pass], Against::Worse)]
    #[case::stopped(&[NotRun], &[Unsupported], Against::Worse)]
    #[case::a_variant_gone(&[Pass], &[Pass, Pass], Against::Worse)]
    #[case::a_variant_gone_that_failed(&[Pass], &[Pass, Fail], Against::Same)]
    #[case::a_new_variant_that_fails(&[Pass, Error], &[Pass], Against::Worse)]
    #[case::a_new_variant_that_passes(&[Pass, Pass], &[Pass], Against::Same)]
    fn a_cell_is_worse_when_any_variant_is(
        #[case] now: &[CellVerdict],
        #[case] before: &[CellVerdict],
        #[case] expected: Against,
    ) {
        let mut matrix = sample(&[("a", "b", now)]);
        compare(&mut matrix, &sample(&[("a", "b", before)]));
        assert_eq!(matrix.cells[0].against, Some(expected));
    }

    #[test]
    fn what_is_gone_is_told_cell_by_cell_and_variant_by_variant() {
        let mut matrix = sample(&[("a", "a", &[Pass, NotRun]), ("new", "a", &[Pass])]);
        let baseline = sample(&[("a", "a", &[Pass, Pass]), ("old", "a", &[Fail]), ("never", "a", &[NotRun])]);
        compare(&mut matrix, &baseline);
        let told: Vec<_> = matrix.lost.iter().map(|l| (l.caller.as_str(), l.variant.as_deref())).collect();
        assert_eq!(told, [("a", Some("family/1")), ("old", None)]);
        assert_eq!(matrix.cells[1].against, Some(Against::Added));
    }

    #[test]
    fn a_baseline_must_be_a_matrix_of_this_schema() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("matrix.json");
        assert!(baseline(&file).is_err());
        let mut matrix = sample(&[("a", "a", &[Pass])]);
        std::fs::write(&file, serde_json::to_string(&matrix).expect("json")).expect("written");
        assert_eq!(baseline(&file).expect("read"), matrix);
        matrix.schema = "overheard/matrix/9".to_owned();
        std::fs::write(&file, serde_json::to_string(&matrix).expect("json")).expect("written");
        assert!(baseline(&file).expect_err("newer").text.contains("overheard/matrix/9"));
    }
}
