//! `--filter "word !word"`: picks variants by their ids.

use std::str::FromStr;

/// Words that an id must contain and words that it must not; without any word, every id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    wanted: Vec<String>,
    unwanted: Vec<String>,
}

/// A filter that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFilter {
    /// A `!` without a word.
    #[error("`!` stands alone in the filter; write the unwanted word right behind it")]
    LoneBang,
    /// A word that is wanted and unwanted.
    #[error("`{0}` is wanted and unwanted in the filter, so nothing fits; drop one of the two")]
    Both(String),
}

impl FromStr for Filter {
    type Err = NoFilter;

    fn from_str(text: &str) -> Result<Self, NoFilter> {
        let mut filter = Self::default();
        for word in text.split_whitespace() {
            match word.strip_prefix('!') {
                Some("") => return Err(NoFilter::LoneBang),
                Some(word) => filter.unwanted.push(word.to_owned()),
                None => filter.wanted.push(word.to_owned()),
            }
        }
        match filter.wanted.iter().find(|word| filter.unwanted.contains(word)) {
            Some(word) => Err(NoFilter::Both(word.clone())),
            None => Ok(filter),
        }
    }
}

impl Filter {
    /// Whether `id` contains every wanted word and no unwanted one.
    pub fn fits(&self, id: &str) -> bool {
        self.wanted.iter().all(|w| id.contains(w.as_str()))
            && !self.unwanted.iter().any(|w| id.contains(w.as_str()))
    }

    /// Whether every id fits.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_asked("", true)]
    #[case::contained("opt-in", true)]
    #[case::both_contained("opt-in audio", true)]
    #[case::brackets_are_letters("[media=audio]", true)]
    #[case::one_missing("opt-in video", false)]
    #[case::unwanted("!audio", false)]
    #[case::unwanted_elsewhere("opt-in !flaws", true)]
    #[case::case_matters("OPT-IN", false)]
    fn words_are_looked_for_in_the_id(#[case] filter: &str, #[case] expected: bool) {
        assert_eq!(filter.parse::<Filter>().expect("a filter").fits("opt-in/both-on[media=audio]"), expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!("a !".parse::<Filter>(), Err(NoFilter::LoneBang));
        assert_eq!("a !a".parse::<Filter>(), Err(NoFilter::Both("a".to_owned())));
    }
}
