//! A page for people: one file that stands for itself.
//!
//! Invariant: a page loads nothing, runs nothing, and every text that somebody else chose is escaped. What a colour
//! says, a sign and a word say as well.

use crate::legible::plain;

/// Style of every page.
const STYLE: &str = include_str!("page/style.css");

/// What browsers may do with a page: nothing but its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Patterns that pictures refer to; one set serves the whole page.
const PATTERNS: &str = include_str!("page/patterns.svg");

/// Which way a statement points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Somebody can hear what they should not, or something failed.
    Bad,
    /// Not shown.
    Doubt,
    /// Neither.
    Plain,
}

impl Tone {
    /// The class of the style, and the sign beside the word.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("good", "\u{2714}"),
            Self::Bad => ("bad", "\u{2716}"),
            Self::Doubt => ("doubt", "?"),
            Self::Plain => ("plain", "\u{2022}"),
        }
    }
}

/// `text` as content or as a quoted value: nothing in it is markup, and nothing steers the reader's eye.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A word with its sign.
pub fn badge(tone: Tone, word: &str) -> String {
    let (class, sign) = tone.marks();
    format!(
        "<span class=\"badge {class}\"><span aria-hidden=\"true\">{sign}</span>&nbsp;{}</span>",
        escaped(word)
    )
}

/// Text to copy: one click selects all of it.
pub fn copied(text: &str) -> String {
    format!("<pre class=\"copy\"><code>{}</code></pre>", escaped(text))
}

/// A section under a heading; nothing where it has no content.
pub fn section(id: &str, heading: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"{id}\" aria-labelledby=\"h-{id}\">\n<h2 id=\"h-{id}\">{}</h2>\n{content}</section>\n",
        escaped(heading)
    )
}

/// A table whose cells are content; the first cell of a row is its header.
pub fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    let heads: String =
        heads.iter().map(|head| format!("<th scope=\"col\">{}</th>", escaped(head))).collect();
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate().map(|(at, cell)| match at {
            0 => format!("<th scope=\"row\">{cell}</th>"),
            _ => format!("<td>{cell}</td>"),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{0}\" tabindex=\"0\"><table><caption>{0}</caption>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{1}</tbody></table></div>\n",
        escaped(caption),
        rows.iter().map(row).collect::<String>()
    )
}

/// What stands beyond a bound, where anything does.
pub fn beyond(all: usize, told: usize, what: &str) -> String {
    if all <= told {
        return String::new();
    }
    format!("<p class=\"beyond\">… and {} more {}; --format json has all.</p>\n", all - told, escaped(what))
}

/// `n` with its digits in groups of three.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A whole page. `contents` are the sections that the list at its head names, by id; `main` is the content.
pub fn document(title: &str, heading: &str, contents: &[(&str, &str)], main: &str, foot: &str) -> String {
    let present = contents.iter().filter(|(id, _)| main.contains(&format!("<section id=\"{id}\"")));
    let links: String =
        present.map(|(id, name)| format!("<li><a href=\"#{id}\">{}</a></li>", escaped(name))).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the content</a>\n{PATTERNS}\
         <header>\n<h1>{heading}</h1>\n<nav aria-label=\"On this page\"><ul>{links}</ul></nav>\n</header>\n\
         <main id=\"main\">\n{main}</main>\n<footer>\n{foot}</footer>\n</body>\n</html>\n",
        escaped(title)
    )
}

#[cfg(test)]
mod browser;
#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::markup("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;")]
    #[case::leaves_an_attribute("\" onload='x", "&quot; onload=&#39;x")]
    #[case::entity("&lt;", "&amp;lt;")]
    #[case::control("a\u{1b}[2J", "a\\u{1b}[2J")]
    #[case::reversed("a\u{202e}b", "a\\u{202e}b")]
    fn what_others_chose_is_no_markup(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escaped(text), expected);
    }

    #[rstest]
    #[case::one(7, "7")]
    #[case::three(999, "999")]
    #[case::four(1_000, "1\u{202f}000")]
    #[case::eight(12_345_678, "12\u{202f}345\u{202f}678")]
    fn digits_are_grouped(#[case] n: u64, #[case] expected: &str) {
        assert_eq!(number(n), expected);
    }

    #[test]
    fn only_sections_that_are_there_are_listed() {
        let main = section("one", "One", "<p>1</p>") + &section("two", "Two", "");
        let page = document("t", "t", &[("one", "One"), ("two", "Two")], &main, "");
        assert!(page.contains("href=\"#one\"") && !page.contains("href=\"#two\""), "{page}");
    }
}
