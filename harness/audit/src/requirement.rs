//! Requirements: the sentences that checks judge, one file per specification.
//!
//! Invariant: a sentence is quoted exactly, or is ours and in our own words; never something between.

use serde::Deserialize;

/// A sentence that some check judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `<file>/<id>`, as checks name it.
    pub name: String,
    /// The specification, e.g. `RFC 5763`; `overheard` for our own.
    pub spec: String,
    /// Its section.
    pub section: String,
    /// `MUST`, `SHOULD` or `MAY`, with `NOT` where the sentence has it.
    pub level: String,
    /// The sentence: quoted where `quoted`, else in our own words.
    pub text: String,
    /// Whether the sentence stands so in the specification.
    pub quoted: bool,
    /// Why nothing judges it, where nothing does.
    pub exception: Option<String>,
    /// Why nothing judges it yet, where something is to.
    pub todo: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spec: String,
    requirement: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    section: String,
    level: String,
    quote: Option<String>,
    words: Option<String>,
    exception: Option<String>,
    todo: Option<String>,
}

/// The files, by the name that checks use.
const FILES: &[(&str, &str)] = &[
    ("overheard", include_str!("../requirements/overheard.toml")),
    ("rfc3711", include_str!("../requirements/rfc3711.toml")),
    ("rfc5763", include_str!("../requirements/rfc5763.toml")),
    ("rfc5764", include_str!("../requirements/rfc5764.toml")),
    ("rfc7714", include_str!("../requirements/rfc7714.toml")),
    ("rfc7748", include_str!("../requirements/rfc7748.toml")),
    ("rfc8122", include_str!("../requirements/rfc8122.toml")),
    ("rfc8827", include_str!("../requirements/rfc8827.toml")),
    ("rfc8829", include_str!("../requirements/rfc8829.toml")),
    ("rfc9605", include_str!("../requirements/rfc9605.toml")),
];

/// Every requirement, in the order of the files.
///
/// # Panics
/// Never: the files are part of the binary, and a test reads each.
pub fn requirements() -> Vec<Requirement> {
    let mut found = Vec::new();
    for (name, text) in FILES {
        let file: File = toml::from_str(text).expect("the built-in requirement files are well formed");
        for entry in file.requirement {
            found.push(Requirement {
                name: format!("{name}/{}", entry.id),
                spec: file.spec.clone(),
                section: entry.section,
                level: entry.level,
                quoted: entry.quote.is_some(),
                text: entry.quote.or(entry.words).unwrap_or_default(),
                exception: entry.exception,
                todo: entry.todo,
            });
        }
    }
    found
}

/// The requirement that checks call `name`.
pub fn named(name: &str) -> Option<Requirement> {
    requirements().into_iter().find(|requirement| requirement.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_requirement_has_one_sentence_and_a_level() {
        for (name, text) in FILES {
            let file: File = toml::from_str(text).expect("well formed");
            for entry in file.requirement {
                assert!(entry.quote.is_some() != entry.words.is_some(), "{name}/{}", entry.id);
                assert_eq!(entry.words.is_some(), file.spec == "overheard", "{name}/{}", entry.id);
                let level = entry.level.trim_end_matches(" NOT").to_owned();
                assert!(["MUST", "SHOULD", "MAY"].contains(&level.as_str()), "{name}/{}", entry.id);
            }
        }
    }

    #[test]
    fn names_are_unique_and_every_file_is_read() {
        let names: Vec<String> = requirements().into_iter().map(|r| r.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements");
        let on_disk = std::fs::read_dir(folder).expect("the folder").map(|entry| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        });
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(on_disk.collect::<BTreeSet<_>>(), listed);
    }

    #[test]
    fn a_quoted_sentence_that_binds_has_its_level_in_it() {
        for requirement in requirements().iter().filter(|r| r.quoted) {
            assert!(requirement.text.contains(&requirement.level), "{}", requirement.name);
        }
    }
}
