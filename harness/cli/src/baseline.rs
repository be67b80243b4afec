//! `--baseline FILE`: what passed then and did not run now is lost coverage.

use model::results::Results;
use model::verdict::Ending;

use crate::tally::tally;

/// Adds to the lost variants of `results` those that passed in `baseline` and did not run, as far as `expected`
/// says that this run was to hold them.
pub fn compare(results: &mut Results, baseline: &Results, expected: impl Fn(&str) -> bool) {
    let ran = |id: &str| results.scenarios.iter().any(|s| s.id == id && s.verdict != Ending::Unsupported);
    let lost: Vec<String> = baseline
        .scenarios
        .iter()
        .filter(|s| s.verdict == Ending::Pass && expected(&s.id) && !ran(&s.id))
        .map(|s| s.id.clone())
        .filter(|id| !results.lost.contains(id))
        .collect();
    if !lost.is_empty() {
        results.lost.extend(lost);
        tally(results);
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;

    use super::*;
    use crate::tally::sample;

    #[test]
    fn what_passed_before_must_run_again() {
        let baseline = sample(&[Ending::Pass, Ending::Pass, Ending::Fail, Ending::Pass]);
        let mut results = sample(&[Ending::Fail, Ending::Unsupported]);
        compare(&mut results, &baseline, |_| true);
        assert_eq!(results.lost, ["family/1", "family/3"]);

        let mut results = sample(&[Ending::Pass, Ending::Pass]);
        compare(&mut results, &baseline, |id| id != "family/3");
        assert_eq!((results.lost.len(), results.verdict), (0, Verdict::Pass));
    }

    #[test]
    fn lost_coverage_takes_the_pass_away() {
        let mut results = sample(&[Ending::Pass]);
        compare(&mut results, &sample(&[Ending::Pass, Ending::Pass]), |_| true);
        assert_eq!(results.verdict, Verdict::Inconclusive);
    }
}
