//! Counts results anew after the command line has changed an ending or found coverage lost.

use model::Verdict;
use model::results::{Results, Totals};
use model::verdict::Ending;

/// Sets totals and verdict to what the variants say.
///
/// The verdict is the worst of the variants'; lost coverage makes it at least inconclusive, and a known failure
/// counts as a pass.
pub fn tally(results: &mut Results) {
    let count = |ending| results.scenarios.iter().filter(|s| s.verdict == ending).count();
    results.totals = Totals {
        pass: count(Ending::Pass),
        fail: count(Ending::Fail),
        error: count(Ending::Error),
        inconclusive: count(Ending::Inconclusive),
        unsupported: count(Ending::Unsupported),
        known_failing: count(Ending::KnownFailing),
    };
    let worst = results.scenarios.iter().map(|s| match s.verdict {
        Ending::Pass | Ending::KnownFailing | Ending::Unsupported => Verdict::Pass,
        Ending::Inconclusive => Verdict::Inconclusive,
        Ending::Error => Verdict::Error,
        Ending::Fail => Verdict::Fail,
    });
    let shown = results.totals.pass + results.totals.known_failing > 0;
    let floor = match shown && results.lost.is_empty() && !results.partial {
        true => Verdict::Pass,
        false => Verdict::Inconclusive,
    };
    results.verdict = worst.fold(floor, Verdict::worst);
}

/// A run of one variant per ending, called `family/0`, `family/1` and so on.
#[cfg(test)]
pub fn sample(endings: &[Ending]) -> Results {
    let scenarios = endings
        .iter()
        .enumerate()
        .map(|(n, ending)| model::results::ScenarioResult {
            id: format!("family/{n}"),
            title: String::new(),
            variant: std::collections::BTreeMap::new(),
            profile: None,
            verdict: *ending,
            why: String::new(),
            schedule: None,
            capture: None,
            keys: None,
            twin: None,
            calls: Vec::new(),
            ladder: Vec::new(),
            weakness: None,
            legs: std::collections::BTreeMap::new(),
            attacks: Vec::new(),
            checks: Vec::new(),
            unsupported_checks: Vec::new(),
            tried: model::results::Tried::default(),
            known_failure: None,
            world_ms: 0,
        })
        .collect();
    let mut results = Results {
        schema: model::results::SCHEMA.to_owned(),
        tool: model::record::Tool { name: "overheard".to_owned(), version: "0".to_owned() },
        run: "r".to_owned(),
        seed: "0".to_owned(),
        net: model::plan::NetKind::Memory,
        partial: false,
        verdict: Verdict::Pass,
        scenarios,
        lost: Vec::new(),
        totals: Totals::default(),
    };
    tally(&mut results);
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_counted_once_and_the_worst_decides() {
        let results = sample(Ending::ALL);
        let t = results.totals;
        let counts = [t.pass, t.fail, t.error, t.inconclusive, t.unsupported, t.known_failing];
        assert_eq!(counts, [1; 6]);
        assert_eq!(results.verdict, Verdict::Fail);
        assert_eq!(sample(&[Ending::Pass, Ending::Inconclusive]).verdict, Verdict::Inconclusive);
        assert_eq!(sample(&[Ending::Unsupported]).verdict, Verdict::Inconclusive);
        assert_eq!(sample(&[]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn lost_coverage_is_no_pass() {
        let mut results = sample(&[Ending::Pass]);
        results.lost.push("family/9".to_owned());
        tally(&mut results);
        assert_eq!(results.verdict, Verdict::Inconclusive);
    }
}
