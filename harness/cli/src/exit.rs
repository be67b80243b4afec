//! The exit codes and which of them goes first (design, section 3).

use model::Verdict;
use model::results::Results;
use model::verdict::Ending;

/// What the process ends with. `Usage` and `NothingSelected` come before anything runs; of the others the first
/// that holds of `Bug`, `Interrupted`, `Fail`, `Error`, `Inconclusive` and `Pass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything that was planned was shown to hold.
    Pass,
    /// 1: something was shown not to hold.
    Fail,
    /// 2: the arguments, the configuration or a scenario are wrong; nothing has run.
    Usage,
    /// 3: nothing was shown either way, or a planned variant has no verdict.
    Inconclusive,
    /// 4: no variant was selected; nothing has run.
    NothingSelected,
    /// 5: the harness or its environment stumbled.
    Error,
    /// 70: a bug of overheard.
    Bug,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// Every exit code, in ascending order.
    pub const ALL: &[Self] = &[
        Self::Pass,
        Self::Fail,
        Self::Usage,
        Self::Inconclusive,
        Self::NothingSelected,
        Self::Error,
        Self::Bug,
        Self::Interrupted,
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::NothingSelected => 4,
            Self::Error => 5,
            Self::Bug => 70,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for help and documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "everything that was planned was shown to hold",
            Self::Fail => "something was shown not to hold",
            Self::Usage => "wrong arguments, configuration or scenario; nothing has run",
            Self::Inconclusive => "nothing was shown either way, or a planned variant has no verdict",
            Self::NothingSelected => "no variant was selected; nothing has run",
            Self::Error => "the harness or its environment stumbled",
            Self::Bug => "a bug of overheard",
            Self::Interrupted => "interrupted",
        }
    }

    /// Of two ways in which a run ended, the one that goes first.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        const ORDER: [Exit; 8] = [
            Exit::Usage,
            Exit::NothingSelected,
            Exit::Bug,
            Exit::Interrupted,
            Exit::Fail,
            Exit::Error,
            Exit::Inconclusive,
            Exit::Pass,
        ];
        ORDER.into_iter().find(|exit| *exit == self || *exit == other).unwrap_or(self)
    }

    /// How a judged run ends the process; a run of which nothing was judged is never a pass.
    pub fn of(results: &Results, interrupted: bool) -> Self {
        let ended = |ending| results.scenarios.iter().any(|s| s.verdict == ending);
        let shown = ended(Ending::Pass) || ended(Ending::KnownFailing);
        if interrupted {
            Self::Interrupted
        } else if ended(Ending::Fail) || results.verdict == Verdict::Fail {
            Self::Fail
        } else if ended(Ending::Error) || results.verdict == Verdict::Error {
            Self::Error
        } else if results.verdict == Verdict::Pass
            && !ended(Ending::Inconclusive)
            && results.lost.is_empty()
            && !results.partial
            && shown
        {
            Self::Pass
        } else {
            Self::Inconclusive
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::tally::sample;

    #[rstest]
    #[case::all_passed(&[Ending::Pass], Exit::Pass)]
    #[case::a_known_failure_is_no_failure(&[Ending::Pass, Ending::KnownFailing], Exit::Pass)]
    #[case::a_fail_goes_before_an_error(&[Ending::Error, Ending::Fail, Ending::Inconclusive], Exit::Fail)]
    #[case::an_error_goes_before_doubt(&[Ending::Inconclusive, Ending::Error], Exit::Error)]
    #[case::doubt(&[Ending::Pass, Ending::Inconclusive], Exit::Inconclusive)]
    #[case::nothing_ran(&[Ending::Unsupported], Exit::Inconclusive)]
    #[case::nothing_judged(&[], Exit::Inconclusive)]
    fn the_worst_ending_decides(#[case] endings: &[Ending], #[case] expected: Exit) {
        assert_eq!(Exit::of(&sample(endings), false), expected);
        assert_eq!(Exit::of(&sample(endings), true), Exit::Interrupted);
    }

    #[test]
    fn lost_coverage_and_a_cut_run_are_no_pass() {
        let mut results = sample(&[Ending::Pass]);
        results.lost.push("a/b".to_owned());
        assert_eq!(Exit::of(&results, false), Exit::Inconclusive);
        let mut results = sample(&[Ending::Pass]);
        results.partial = true;
        assert_eq!(Exit::of(&results, false), Exit::Inconclusive);
    }

    #[test]
    fn a_verdict_that_no_variant_explains_still_counts() {
        let mut results = sample(&[Ending::Pass]);
        results.verdict = Verdict::Fail;
        assert_eq!(Exit::of(&results, false), Exit::Fail);
    }

    #[rstest]
    #[case::a_fail_before_an_error(Exit::Error, Exit::Fail, Exit::Fail)]
    #[case::an_interruption_before_a_fail(Exit::Fail, Exit::Interrupted, Exit::Interrupted)]
    #[case::a_bug_before_all_else(Exit::Interrupted, Exit::Bug, Exit::Bug)]
    #[case::doubt_before_a_pass(Exit::Pass, Exit::Inconclusive, Exit::Inconclusive)]
    #[case::an_error_before_doubt(Exit::Inconclusive, Exit::Error, Exit::Error)]
    fn of_two_the_first_in_order_holds(#[case] one: Exit, #[case] other: Exit, #[case] expected: Exit) {
        assert_eq!((one.or(other), other.or(one)), (expected, expected));
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|e| e.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 70, 130]);
    }
}
