//! Times as people read them: in UTC, from nanoseconds in decimal.

use time::OffsetDateTime;

/// `2026-01-02 03:04:05.678 UTC`; the text itself where it is no time.
pub fn utc(ns: &str) -> String {
    let time = ns.parse::<i128>().ok().and_then(|ns| OffsetDateTime::from_unix_timestamp_nanos(ns).ok());
    let Some(t) = time else { return ns.to_owned() };
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} UTC",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.millisecond()
    )
}

/// Time between two moments: `1.25 s`, `3 min 12 s`, `2 h 05 min`; empty where one is no time.
pub fn between(from_ns: &str, to_ns: &str) -> String {
    let (Ok(from), Ok(to)) = (from_ns.parse::<u64>(), to_ns.parse::<u64>()) else { return String::new() };
    let ms = to.saturating_sub(from) / 1_000_000;
    let s = ms / 1_000;
    match s {
        0..60 => format!("{}.{:02} s", s, ms % 1_000 / 10),
        60..3_600 => format!("{} min {:02} s", s / 60, s % 60),
        172_800.. => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3_600),
        _ => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::epoch("0", "1970-01-01 00:00:00.000 UTC")]
    #[case::a_day("1700000000123456789", "2023-11-14 22:13:20.123 UTC")]
    #[case::none("soon", "soon")]
    #[case::too_late("99999999999999999999999999", "99999999999999999999999999")]
    fn times_are_told_in_utc(#[case] ns: &str, #[case] expected: &str) {
        assert_eq!(utc(ns), expected);
    }

    #[rstest]
    #[case::short("0", "1250000000", "1.25 s")]
    #[case::minutes("0", "192000000000", "3 min 12 s")]
    #[case::hours("0", "7500000000000", "2 h 05 min")]
    #[case::days("0", "176400000000000", "2 d 01 h")]
    #[case::backwards("5", "0", "0.00 s")]
    #[case::none("", "0", "")]
    fn time_passes(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
        assert_eq!(between(from, to), expected);
    }
}
