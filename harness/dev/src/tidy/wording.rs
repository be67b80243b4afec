//! What stands in files: their openings, words that are banned with what goes in their place, and the bans that
//! clippy keeps.

use crate::tree::{TextFile, Tree};

/// Rust files that do not begin with `//!`.
pub fn openings(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|f| !f.text.starts_with("//! "));
    silent.map(|f| format!("{}:1: no opening; begin with //! and what the file is for", f.path)).collect()
}

/// A piece of text that is banned.
struct Ban {
    /// In two parts, so that this file does not hold it.
    text: (&'static str, &'static str),
    /// What to do.
    remedy: &'static str,
    /// Whether a line that holds it is excused.
    excused: fn(&TextFile, &str) -> bool,
}

fn never(_: &TextFile, _: &str) -> bool {
    false
}

fn outside_rust(file: &TextFile, _: &str) -> bool {
    !file.is_rust()
}

/// RFC 8827 spells it so, and a quotation is left as it is; pages that are made from it repeat it.
fn quoted(file: &TextFile, line: &str) -> bool {
    let made = file.path.starts_with("harness/docs/");
    made || (file.path.contains("/requirements/") && line.trim_start().starts_with("quote"))
}

/// The bans; spelling is compared in lower case.
const BANS: &[Ban] = &[
    Ban { text: ("dbg", "!("), remedy: "take it out", excused: outside_rust },
    Ban { text: ("to", "do!("), remedy: "write it, or leave it out", excused: outside_rust },
    Ban { text: ("// to", "do"), remedy: "do it, or open an issue", excused: outside_rust },
    Ban { text: ("fix", "me"), remedy: "do it, or open an issue", excused: never },
    Ban { text: ("signal", "ing"), remedy: "write signalling", excused: quoted },
    Ban { text: ("behav", "ior"), remedy: "write behaviour", excused: quoted },
    Ban { text: ("/wor", "k/"), remedy: "no paths of one machine", excused: never },
    Ban { text: ("/ho", "me/"), remedy: "no paths of one machine", excused: never },
    Ban { text: ("/ro", "ot/"), remedy: "no paths of one machine", excused: never },
];

/// Lines with a banned text.
pub fn words(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for ban in BANS {
                let banned = format!("{}{}", ban.text.0, ban.text.1);
                if lower.contains(&banned) && !(ban.excused)(file, line) {
                    let (path, at, remedy) = (&file.path, number + 1, ban.remedy);
                    violations.push(format!("{path}:{at}: `{banned}`; {remedy}"));
                }
            }
            if file.is_rust() && cites_otherwise(line) {
                let at = number + 1;
                violations
                    .push(format!("{}:{at}: cites otherwise; write it as RFC 8445 §7.3.1.1", file.path));
            }
        }
    }
    violations
}

/// Whether the line cites an RFC in another form than `RFC 8445 §7.3.1.1`.
fn cites_otherwise(line: &str) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find("RFC") {
        rest = &rest[at + 3..];
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            return true;
        }
        let after = rest.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit());
        let digits = rest.len() - after.len() > 1;
        let lower = after.trim_start_matches([',', ' ']).to_lowercase();
        if digits && (lower.starts_with("section") || lower.starts_with("sec.")) {
            return true;
        }
    }
    false
}

/// What clippy must keep out of the rooms that are told time, randomness and sockets (design, section 4, law 2).
const CLIPPY_BANS: &[&str] = &[
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::sleep",
    "tokio::time::sleep",
    "std::env::var",
    "std::env::vars",
    "std::env::args",
];

/// Bans that are missing in the clippy files of the rooms `nodes` and `net`.
///
/// A clippy file of a crate takes the place of the root's, it does not add to it.
pub fn clippy_bans(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for room in ["nodes", "net"] {
        let path = format!("harness/{room}/clippy.toml");
        let text = tree.files.iter().find(|f| f.path == path).map_or("", |f| f.text.as_str());
        for ban in CLIPPY_BANS {
            if !text.contains(&format!("\"{ban}\"")) {
                violations.push(format!("{path}: does not ban {ban}; add it with its reason"));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn joined(ban: &Ban) -> String {
        format!("{}{}", ban.text.0, ban.text.1)
    }

    #[test]
    fn every_banned_text_is_found_with_its_remedy() {
        for ban in BANS {
            let tree =
                Tree::of("harness/net/src/a.rs", &format!("x\nlet y; {} z", joined(ban).to_uppercase()));
            let violations = words(&tree);
            assert_eq!(violations.len(), 1, "{violations:?}");
            assert!(violations[0].starts_with("harness/net/src/a.rs:2: "), "{violations:?}");
            assert!(violations[0].ends_with(ban.remedy), "{violations:?}");
        }
    }

    #[test]
    fn a_quotation_of_a_requirement_keeps_its_spelling() {
        let spelling = joined(&BANS[4]);
        let quote = format!("quote = \"the {spelling} channel\"\n");
        assert!(words(&Tree::of("harness/audit/requirements/rfc8827.toml", &quote)).is_empty());
        let other = format!("about = \"the {spelling} channel\"\n");
        assert_eq!(words(&Tree::of("harness/audit/requirements/rfc8827.toml", &other)).len(), 1);
    }

    #[rstest]
    #[case::the_form("// RFC 8445 §7.3.1.1 says so.", false)]
    #[case::document_alone("// RFC 9605 says so.", false)]
    #[case::no_blank("// R{}8445 says so.", true)]
    #[case::section("// R{} 8445 section 7", true)]
    #[case::comma("// See R{} 9605 and R{} 8445, Section 7", true)]
    #[case::words("// An RFC, section by section.", false)]
    fn citations_have_one_form(#[case] line: &str, #[case] otherwise: bool) {
        // Written with a gap, so that this file itself keeps to the form.
        assert_eq!(cites_otherwise(&line.replace("R{}", "RFC")), otherwise);
    }

    #[test]
    fn a_file_begins_with_what_it_is_for() {
        assert!(openings(&Tree::of("a.rs", "//! Rooms.\n")).is_empty());
        for text in ["", "\n//! Late.", "// Comment.", "fn f() {}"] {
            assert_eq!(openings(&Tree::of("a.rs", text)).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_missing_ban_is_named() {
        let violations = clippy_bans(&Tree::of("harness/net/clippy.toml", "\"std::time::Instant::now\""));
        assert_eq!(violations.len(), CLIPPY_BANS.len() * 2 - 1);
    }
}
