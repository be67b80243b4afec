//! Durations and shares, as scenario files write them: `2s`, `12ms`, `0%`.

/// Milliseconds of `2s`, `12ms` or `1min`: whole numbers without a leading zero, at most a day.
pub fn milliseconds(text: &str) -> Option<u64> {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit_at)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => return None,
    };
    whole(digits)?.checked_mul(factor).filter(|ms| *ms <= DAY)
}

/// The share of `5%` or `0.5%`, from 0 to 1.
pub fn share(text: &str) -> Option<f64> {
    let digits = text.strip_suffix('%')?;
    let (units, tenths) = digits.split_once('.').unwrap_or((digits, "0"));
    whole(units)?;
    if tenths.is_empty() || !tenths.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<f64>().ok().map(|percent| percent / 100.0).filter(|share| *share <= 1.0)
}

fn whole(digits: &str) -> Option<u64> {
    let plain = digits == "0" || !digits.starts_with('0');
    (plain && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::seconds("2s", Some(2000))]
    #[case::milliseconds("12ms", Some(12))]
    #[case::minutes("1min", Some(60_000))]
    #[case::nothing("0ms", Some(0))]
    #[case::bare("2", None)]
    #[case::fraction("0.5s", None)]
    #[case::zero("02s", None)]
    #[case::space("2 s", None)]
    #[case::sign("-2s", None)]
    #[case::other_digits("２s", None)]
    #[case::too_long("99999999999999999999s", None)]
    #[case::more_than_a_day("1441min", None)]
    #[case::empty("", None)]
    fn durations(#[case] text: &str, #[case] ms: Option<u64>) {
        assert_eq!(milliseconds(text), ms);
    }

    #[rstest]
    #[case::whole("5%", Some(0.05))]
    #[case::part("0.5%", Some(0.005))]
    #[case::all("100%", Some(1.0))]
    #[case::none("0%", Some(0.0))]
    #[case::more("101%", None)]
    #[case::bare("5", None)]
    #[case::zero("05%", None)]
    #[case::negative("-1%", None)]
    #[case::no_tenths("1.%", None)]
    #[case::infinite("inf%", None)]
    fn shares(#[case] text: &str, #[case] share_of: Option<f64>) {
        assert_eq!(share(text), share_of);
    }
}
