//! Plain scalars on which readers of YAML disagree: words of YAML 1.1, and odd forms of numbers.

use crate::diagnostic::Code;

/// Why the plain scalar `text` is refused, with the label and the remedy; none where every reader agrees.
pub(crate) fn refused(text: &str) -> Option<(Code, &'static str, String)> {
    if text.is_empty() || ["~", "null", "Null", "NULL"].contains(&text) {
        let help = "leave the key out, or write `{}` for a mapping of nothing but defaults".to_owned();
        return Some((Code::EmptyValue, "nothing here", help));
    }
    if let Some(word) = word(text) {
        return Some((Code::YesOrNo, "a word here and a truth value there", word));
    }
    odd_number(text).then(|| {
        let plain = text.trim_start_matches(['+', '0']);
        let decimal = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        let help = match decimal {
            true => format!("write `{plain}`, or put it in quotes when it is a text"),
            false => {
                "write whole numbers in decimal digits, or put it in quotes when it is a text".to_owned()
            }
        };
        (Code::NumberForm, "a number here and a text there", help)
    })
}

fn word(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "yes" | "y" => Some(switch("on", "true")),
        "no" | "n" => Some(switch("off", "false")),
        "on" | "off" | "true" | "false" if text != lower => Some(format!("write `{lower}`")),
        "<<" | "=" => Some("put it in quotes".to_owned()),
        _ => None,
    }
}

fn switch(word: &str, truth: &str) -> String {
    format!("write `{word}` for `e2ee`, `{truth}` for true or false, or put the word in quotes")
}

/// Whether some reader takes `text` for a number or a date, and another one does not or sees another number.
fn odd_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = unsigned.len() < text.len();
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let lower = unsigned.to_ascii_lowercase();
    if [".inf", ".nan"].contains(&lower.as_str()) {
        return true;
    }
    if let Some(rest) = ["0x", "0o", "0b"].iter().find_map(|p| lower.strip_prefix(p)) {
        return rest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'_');
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    if digits(unsigned) {
        return text.starts_with('+')
            || (unsigned.len() > 1 && unsigned.starts_with('0'))
            || unsigned.len() > 18;
    }
    if let Some((units, tenths)) = unsigned.split_once('.')
        && digits(units)
        && digits(tenths)
    {
        return text.starts_with('+') || (units.len() > 1 && units.starts_with('0')) || unsigned.len() > 15;
    }
    let made_of = |marks: &[u8]| unsigned.bytes().all(|b| b.is_ascii_digit() || marks.contains(&b));
    let sexagesimal = unsigned.contains(':') && made_of(b":._");
    let grouped = made_of(b"_.") && unsigned.bytes().any(|b| b.is_ascii_digit());
    let exponent = made_of(b".eE+-_") && lower.contains('e') && unsigned.bytes().any(|b| b.is_ascii_digit());
    let date = !signed && unsigned.split('-').count() == 3 && made_of(b"-");
    sexagesimal || grouped || exponent || date
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::refused;
    use crate::diagnostic::Code;

    #[rstest]
    #[case::yes("yes", Code::YesOrNo)]
    #[case::no("No", Code::YesOrNo)]
    #[case::y("y", Code::YesOrNo)]
    #[case::loud_on("ON", Code::YesOrNo)]
    #[case::loud_true("True", Code::YesOrNo)]
    #[case::merge("<<", Code::YesOrNo)]
    #[case::octal("010", Code::NumberForm)]
    #[case::zeros("00", Code::NumberForm)]
    #[case::plus("+4791234567", Code::NumberForm)]
    #[case::hex("0x1F", Code::NumberForm)]
    #[case::new_octal("0o17", Code::NumberForm)]
    #[case::grouped("1_000", Code::NumberForm)]
    #[case::minutes("1:30", Code::NumberForm)]
    #[case::date("2021-10-21", Code::NumberForm)]
    #[case::exponent("1e3", Code::NumberForm)]
    #[case::infinite("-.inf", Code::NumberForm)]
    #[case::half(".5", Code::NumberForm)]
    #[case::half_zero("00.5", Code::NumberForm)]
    #[case::huge("123456789012345678901", Code::NumberForm)]
    #[case::empty("", Code::EmptyValue)]
    #[case::tilde("~", Code::EmptyValue)]
    #[case::null("null", Code::EmptyValue)]
    fn disagreement_is_refused(#[case] text: &str, #[case] code: Code) {
        assert_eq!(refused(text).map(|(code, ..)| code), Some(code));
    }

    #[rstest]
    #[case::on("on")]
    #[case::off("off")]
    #[case::truth("true")]
    #[case::zero("0")]
    #[case::number("42")]
    #[case::negative("-1")]
    #[case::decimal("0.5")]
    #[case::duration("2s")]
    #[case::zero_duration("0ms")]
    #[case::share("0%")]
    #[case::release("2023-08")]
    #[case::preview("preview-2021-09")]
    #[case::telephone("tel:+4791234567")]
    #[case::domain("contoso.example")]
    #[case::nobody("nobody")]
    #[case::dot(".")]
    #[case::dash("-")]
    fn agreement_is_accepted(#[case] text: &str) {
        assert_eq!(refused(text).map(|(code, ..)| code), None);
    }
}
