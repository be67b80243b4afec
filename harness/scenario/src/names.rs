//! Which characters names may have.

/// Lower-case letters, digits and hyphens, beginning with a letter or digit.
pub fn is_plain(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.chars().all(inside) && !name.is_empty() && !name.starts_with('-')
}

/// As [`is_plain`], with dots and underscores: users and domains of tenants.
pub fn is_domain(name: &str) -> bool {
    let part = |p: &str| is_plain(&p.replace('_', "-"));
    name.split('.').all(part)
}

/// A `+`, if there is one, and 3 to 15 digits.
pub fn is_telephone(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::word("both-on", true)]
    #[case::digits("2nd", true)]
    #[case::capital("Both", false)]
    #[case::dot("a.b", false)]
    #[case::empty("", false)]
    #[case::hyphen("-a", false)]
    #[case::underscore("a_b", false)]
    fn plain_names(#[case] name: &str, #[case] plain: bool) {
        assert_eq!(is_plain(name), plain);
    }

    #[rstest]
    #[case::domain("contoso.example", true)]
    #[case::user("anna_b", true)]
    #[case::at("a@b", false)]
    #[case::empty_part("a..b", false)]
    #[case::capital("Contoso.example", false)]
    fn domains(#[case] name: &str, #[case] domain: bool) {
        assert_eq!(is_domain(name), domain);
    }

    #[rstest]
    #[case::international("+4721000000", true)]
    #[case::short("112", true)]
    #[case::letters("0800CALL", false)]
    #[case::empty("", false)]
    #[case::sign("+", false)]
    #[case::long("1234567890123456", false)]
    fn telephone_numbers(#[case] number: &str, #[case] telephone: bool) {
        assert_eq!(is_telephone(number), telephone);
    }
}
