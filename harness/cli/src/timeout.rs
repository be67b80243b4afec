//! `--timeout`: how long one variant may take by the clock on the wall.

use std::str::FromStr;
use std::time::Duration;

/// A span such as `60s`, `500ms` or `2m`; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeout(pub Duration);

/// A text that is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no span of time above zero; write it like 60s, 500ms or 2m")]
pub struct NoTimeout(pub String);

impl Default for Timeout {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

impl FromStr for Timeout {
    type Err = NoTimeout;

    fn from_str(text: &str) -> Result<Self, NoTimeout> {
        let refused = || NoTimeout(text.to_owned());
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: u64 = number.parse().map_err(|_| refused())?;
        let factor = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            _ => return Err(refused()),
        };
        match number.checked_mul(factor) {
            Some(ms) if ms > 0 => Ok(Self(Duration::from_millis(ms))),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("60s", 60_000)]
    #[case::bare("5", 5_000)]
    #[case::milliseconds("250ms", 250)]
    #[case::minutes("2m", 120_000)]
    fn spans_are_read(#[case] text: &str, #[case] ms: u64) {
        assert_eq!(text.parse(), Ok(Timeout(Duration::from_millis(ms))));
    }

    #[rstest]
    #[case::zero("0s")]
    #[case::no_number("s")]
    #[case::empty("")]
    #[case::unit("5h")]
    #[case::sign("-5s")]
    #[case::overflow("18446744073709551615m")]
    fn what_is_no_span_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Timeout>(), Err(NoTimeout(text.to_owned())));
    }
}
