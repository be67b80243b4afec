//! Listed failures: run, tolerated until a date, and red as soon as the list no longer tells the truth.

use model::Verdict;
use model::results::{KnownFailure, Results, ScenarioResult};
use model::verdict::Ending;
use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use crate::tally::tally;

/// One entry of `known-failures` in `overheard.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The id of the variant.
    pub variant: String,
    /// The check that fails.
    pub check: String,
    /// Why that is tolerated.
    pub reason: String,
    /// Who looks after it.
    pub owner: String,
    /// The last day on which it is tolerated: `yyyy-mm-dd`.
    pub expires: String,
}

/// An entry that cannot be meant; found before anything runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    /// No such variant.
    #[error("the known failure of `{0}` matches no variant; correct its id or take it off the list")]
    NoVariant(String),
    /// No such check.
    #[error(
        "the known failure of `{variant}` names the check `{check}`, which is none; see overheard list checks"
    )]
    NoCheck {
        /// The variant.
        variant: String,
        /// What stands there.
        check: String,
    },
    /// No date.
    #[error("the known failure of `{variant}` expires on `{expires}`, which is no day; write yyyy-mm-dd")]
    NoDate {
        /// The variant.
        variant: String,
        /// What stands there.
        expires: String,
    },
    /// An empty reason or owner.
    #[error("the known failure of `{0}` has no reason or no owner; write both")]
    Unexplained(String),
    /// The same entry twice.
    #[error("the known failure of `{0}` with this check is listed twice; drop one of the two")]
    Twice(String),
}

/// The list, with its dates read.
#[derive(Clone, Debug, Default)]
pub struct KnownFailures(Vec<(Entry, Date)>);

impl KnownFailures {
    /// Reads the list; a variant that `exists` denies and a check that is none of `checks` are mistakes.
    ///
    /// # Errors
    /// Every mistake of the list.
    pub fn read(
        entries: &[Entry],
        exists: impl Fn(&str) -> bool,
        checks: &[String],
    ) -> Result<Self, Vec<BadEntry>> {
        let mut list = Vec::new();
        let mut mistakes = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let variant = entry.variant.clone();
            if !exists(&variant) {
                mistakes.push(BadEntry::NoVariant(variant.clone()));
            }
            if !checks.contains(&entry.check) {
                mistakes.push(BadEntry::NoCheck { variant: variant.clone(), check: entry.check.clone() });
            }
            if entry.reason.trim().is_empty() || entry.owner.trim().is_empty() {
                mistakes.push(BadEntry::Unexplained(variant.clone()));
            }
            let same = |other: &Entry| other.variant == entry.variant && other.check == entry.check;
            if entries.iter().take(at).any(same) {
                mistakes.push(BadEntry::Twice(variant.clone()));
            }
            match Date::parse(&entry.expires, format_description!("[year]-[month]-[day]")) {
                Ok(day) => list.push((entry.clone(), day)),
                Err(_) => mistakes.push(BadEntry::NoDate { variant, expires: entry.expires.clone() }),
            }
        }
        if mistakes.is_empty() { Ok(Self(list)) } else { Err(mistakes) }
    }

    /// Turns failures that are all listed into known ones, and makes a listed failure that passes a fail.
    ///
    /// `today` is a day of UTC. Only a fail is ever tolerated: an error or an inconclusive variant stays one.
    pub fn apply(&self, results: &mut Results, today: Date) {
        for scenario in &mut results.scenarios {
            let listed: Vec<&(Entry, Date)> =
                self.0.iter().filter(|(e, _)| e.variant == scenario.id).collect();
            if !listed.is_empty() {
                apply_to(scenario, &listed, today);
            }
        }
        tally(results);
    }
}

fn apply_to(scenario: &mut ScenarioResult, listed: &[&(Entry, Date)], today: Date) {
    let fails = |check: &str| {
        scenario.checks.iter().any(|c| c.check == check && c.verdict == Verdict::Fail && !c.caught)
    };
    let ran = matches!(scenario.verdict, Ending::Pass | Ending::Fail);
    if let Some((entry, _)) = listed.iter().find(|(entry, _)| ran && !fails(&entry.check)) {
        scenario.verdict = Ending::Fail;
        scenario.why = format!("{} is listed as known failing and passes; take it off the list", entry.check);
        return;
    }
    if scenario.verdict != Ending::Fail {
        return;
    }
    if let Some((entry, _)) = listed.iter().find(|(_, expires)| *expires < today) {
        scenario.why = format!("{}; its known failure expired on {}", scenario.why, entry.expires);
        return;
    }
    let unlisted = scenario.checks.iter().any(|c| {
        c.verdict != Verdict::Pass && !c.caught && !listed.iter().any(|(entry, _)| entry.check == c.check)
    });
    if let (false, Some((entry, _))) = (unlisted, listed.first()) {
        scenario.verdict = Ending::KnownFailing;
        scenario.known_failure = Some(KnownFailure {
            check: entry.check.clone(),
            reason: entry.reason.clone(),
            owner: entry.owner.clone(),
            expires: entry.expires.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use model::results::CheckResult;
    use rstest::rstest;
    use time::macros::date;

    use super::*;
    use crate::tally::sample;

    fn entry() -> Entry {
        Entry {
            variant: "family/0".to_owned(),
            check: "proof/unheard".to_owned(),
            reason: "the vendor is at it".to_owned(),
            owner: "calling team".to_owned(),
            expires: "2030-01-31".to_owned(),
        }
    }

    fn check(name: &str, verdict: Verdict) -> CheckResult {
        CheckResult { check: name.to_owned(), verdict, caught: false, examined: 1, findings: Vec::new() }
    }

    fn run(ending: Ending, checks: Vec<CheckResult>, today: Date) -> ScenarioResult {
        let mut results = sample(&[ending]);
        results.scenarios[0].checks = checks;
        let list = KnownFailures::read(&[entry()], |_| true, &["proof/unheard".to_owned()]).expect("a list");
        list.apply(&mut results, today);
        results.scenarios.remove(0)
    }

    #[test]
    fn a_listed_failure_is_tolerated_until_its_day_has_passed() {
        let failing = || vec![check("proof/unheard", Verdict::Fail), check("proof/heard", Verdict::Pass)];
        let tolerated = run(Ending::Fail, failing(), date!(2030 - 01 - 31));
        assert_eq!(tolerated.verdict, Ending::KnownFailing);
        assert_eq!(tolerated.known_failure.expect("named").owner, "calling team");
        let expired = run(Ending::Fail, failing(), date!(2030 - 02 - 01));
        assert_eq!(expired.verdict, Ending::Fail);
        assert!(expired.why.contains("expired on 2030-01-31"), "{}", expired.why);
    }

    #[rstest]
    #[case::listed_failure_passes(Ending::Pass, vec![check("proof/unheard", Verdict::Pass)], Ending::Fail)]
    #[case::check_has_gone(Ending::Pass, vec![], Ending::Fail)]
    #[case::another_check_fails(
        Ending::Fail,
        vec![check("proof/unheard", Verdict::Fail), check("proof/heard", Verdict::Fail)],
        Ending::Fail
    )]
    #[case::another_check_is_in_doubt(
        Ending::Fail,
        vec![check("proof/unheard", Verdict::Fail), check("proof/heard", Verdict::Inconclusive)],
        Ending::Fail
    )]
    #[case::an_error_is_not_tolerated(Ending::Error, vec![check("proof/unheard", Verdict::Fail)], Ending::Error)]
    #[case::not_run(Ending::Unsupported, vec![], Ending::Unsupported)]
    fn nothing_else_is_tolerated(
        #[case] ending: Ending,
        #[case] checks: Vec<CheckResult>,
        #[case] expected: Ending,
    ) {
        let scenario = run(ending, checks, date!(2030 - 01 - 01));
        assert_eq!(scenario.verdict, expected);
        assert_eq!(scenario.known_failure, None);
    }

    #[test]
    fn a_caught_check_is_no_listed_failure() {
        let caught = CheckResult { caught: true, ..check("proof/unheard", Verdict::Fail) };
        assert_eq!(run(Ending::Pass, vec![caught], date!(2030 - 01 - 01)).verdict, Ending::Fail);
    }

    #[test]
    fn every_mistake_of_the_list_is_named() {
        let bad = Entry { reason: " ".to_owned(), expires: "soon".to_owned(), ..entry() };
        let mistakes = KnownFailures::read(&[entry(), bad], |_| false, &["proof/heard".to_owned()])
            .expect_err("mistakes");
        let variant = || "family/0".to_owned();
        let no_check = || BadEntry::NoCheck { variant: variant(), check: "proof/unheard".to_owned() };
        assert_eq!(
            mistakes,
            [
                BadEntry::NoVariant(variant()),
                no_check(),
                BadEntry::NoVariant(variant()),
                no_check(),
                BadEntry::Unexplained(variant()),
                BadEntry::Twice(variant()),
                BadEntry::NoDate { variant: variant(), expires: "soon".to_owned() },
            ]
        );
    }
}
