//! `--timeout`: how long a world may take, in real time, written as in scenario files.

use std::str::FromStr;
use std::time::Duration;

/// The longest: a day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000;

/// A time limit; 60 s unless given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

impl Default for TimeLimit {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

/// A text that is no time limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time limit; write a whole number from 1 with ms, s or min behind it, at most a day, as in 90s"
)]
pub struct NoTimeLimit(String);

impl FromStr for TimeLimit {
    type Err = NoTimeLimit;

    fn from_str(text: &str) -> Result<Self, NoTimeLimit> {
        let wrong = || NoTimeLimit(text.to_owned());
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            _ => return Err(wrong()),
        };
        let ms = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        let ms = ms.filter(|ms| (1..=LONGEST_MS).contains(ms)).ok_or_else(wrong)?;
        Ok(Self(Duration::from_millis(ms)))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("90s", Some(90_000))]
    #[case::milliseconds("1ms", Some(1))]
    #[case::minutes("1440min", Some(86_400_000))]
    #[case::nothing("0s", None)]
    #[case::no_unit("60", None)]
    #[case::no_number("s", None)]
    #[case::part("1.5s", None)]
    #[case::negative("-1s", None)]
    #[case::more_than_a_day("1441min", None)]
    #[case::more_than_a_number("99999999999999999999s", None)]
    #[case::another_unit("1h", None)]
    #[case::empty("", None)]
    fn a_time_limit_is_a_number_and_a_unit(#[case] text: &str, #[case] ms: Option<u64>) {
        let read = text.parse::<TimeLimit>().ok().map(|limit| limit.0.as_millis());
        assert_eq!(read, ms.map(u128::from));
    }
}
