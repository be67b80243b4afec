//! Verdicts and how they combine.

words! {
    /// What a check or a variant came to, from good to bad (design, section 3).
    pub enum Verdict {
        /// Shown to hold, on evidence that was examined.
        Pass = "pass",
        /// Nothing was shown either way.
        Inconclusive = "inconclusive",
        /// The harness or the environment stumbled.
        Error = "error",
        /// Shown not to hold.
        Fail = "fail",
    }
}

impl Verdict {
    /// The worse of the two: `pass < inconclusive < error < fail`.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }
}

words! {
    /// What a planned variant ended as: a verdict, or one of the two words that are none.
    pub enum Ending {
        /// See [`Verdict::Pass`].
        Pass = "pass",
        /// See [`Verdict::Inconclusive`].
        Inconclusive = "inconclusive",
        /// See [`Verdict::Error`].
        Error = "error",
        /// See [`Verdict::Fail`].
        Fail = "fail",
        /// A listed failure that has a reason, an owner and an expiry date.
        KnownFailing = "known-failing",
        /// Decided from declared capabilities before the run.
        Unsupported = "unsupported",
    }
}

impl From<Verdict> for Ending {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Error => Self::Error,
            Verdict::Fail => Self::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, *};

    #[test]
    fn a_shown_leak_stays_shown_when_something_stumbles_later() {
        assert_eq!([Pass, Fail, Error, Inconclusive].into_iter().fold(Pass, Verdict::worst), Fail);
        assert_eq!(Error.worst(Inconclusive), Error);
    }

    #[test]
    fn words_are_read_back() {
        for verdict in Verdict::ALL {
            assert_eq!(verdict.word().parse::<Verdict>(), Ok(*verdict));
        }
        let message = "ok".parse::<Verdict>().expect_err("no verdict").to_string();
        assert_eq!(message, "`ok` is none of pass, inconclusive, error, fail; use one of these");
    }
}
