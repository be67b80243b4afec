//! Text as a terminal may show it: wrapped, and without a character that could steer the terminal.

/// `text` with control characters, and marks that reorder or hide text, written as escapes.
///
/// Scenario files and peers choose parts of what reports print.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let steers = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if steers {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// `text` on lines of at most `width` characters, the first after `head` and the others after as many blanks.
///
/// A word longer than the line overhangs.
pub fn wrap(head: &str, text: &str, width: usize) -> String {
    let indent = head.chars().count();
    let mut out = head.to_owned();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::escape_sequence("a\u{1b}[2Jb", "a\\u{1b}[2Jb")]
    #[case::line_feed("a\nb", "a\\nb")]
    #[case::right_to_left("a\u{202e}b", "a\\u{202e}b")]
    #[case::accents_stay("Zoë ✓", "Zoë ✓")]
    fn what_could_steer_a_terminal_is_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(plain(text), expected);
    }

    #[rstest]
    #[case::short("- ", "one two", 20, "- one two\n")]
    #[case::hangs_under_its_head("- ", "one two three", 9, "- one two\n  three\n")]
    #[case::long_word_overhangs("- ", "a bbbbbbbbbbbb", 6, "- a\n  bbbbbbbbbbbb\n")]
    #[case::empty("- ", "", 6, "- \n")]
    fn text_is_wrapped(#[case] head: &str, #[case] text: &str, #[case] width: usize, #[case] expected: &str) {
        assert_eq!(wrap(head, text, width), expected);
    }
}
