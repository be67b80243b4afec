//! `overheard.yaml`: defaults that go behind `OVERHEARD_*` and behind options.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::known_failures::Entry;

/// The name of the file, in the current folder.
pub const FILE: &str = "overheard.yaml";

/// What the file may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Configuration {
    /// Names of clients made by others, and the command of each one's driver, for the shell.
    pub clients: BTreeMap<String, String>,
    /// As `--format`.
    pub formats: Vec<String>,
    /// As `--filter`.
    pub filter: Option<String>,
    /// As `--keep`.
    pub keep: Option<String>,
    /// As `--timeout`.
    pub timeout: Option<String>,
    /// Failures that are tolerated for a while.
    pub known_failures: Vec<Entry>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// It is there and cannot be read.
    #[error("`{FILE}` cannot be read ({0}); make it readable or remove it")]
    Unreadable(#[from] io::Error),
    /// It does not say what it may say.
    #[error("`{FILE}` cannot be understood: {0}; correct it there")]
    Wrong(#[from] serde_yaml::Error),
}

impl Configuration {
    /// Reads the text of the file; an empty one sets nothing.
    ///
    /// # Errors
    /// When it is no YAML or has an unknown key.
    pub fn parse(text: &str) -> Result<Self, ConfigurationError> {
        match serde_yaml::from_str::<Option<Self>>(text)? {
            Some(configuration) => Ok(configuration),
            None => Ok(Self::default()),
        }
    }

    /// Reads the file in `folder`; without one nothing is set.
    ///
    /// # Errors
    /// When it is there and cannot be read or understood.
    pub fn in_folder(folder: &Path) -> Result<Self, ConfigurationError> {
        match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => Self::parse(&text),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(why) => Err(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "formats: [terminal, 'junit:out.xml']\nfilter: '!relay'\nkeep: failed\ntimeout: 90s\n\
                    known-failures:\n  - { variant: a/b, check: c/d, reason: r, owner: o, expires: 2030-01-31 }\n";
        let read = Configuration::parse(text).expect("a configuration");
        assert_eq!(read.formats, ["terminal", "junit:out.xml"]);
        assert_eq!((read.filter.as_deref(), read.keep.as_deref()), (Some("!relay"), Some("failed")));
        assert_eq!(read.timeout.as_deref(), Some("90s"));
        assert_eq!(read.known_failures.first().expect("one").expires, "2030-01-31");
    }

    #[rstest]
    #[case::empty("")]
    #[case::only_a_comment("# nothing\n")]
    fn an_empty_file_sets_nothing(#[case] text: &str) {
        assert_eq!(Configuration::parse(text).expect("empty"), Configuration::default());
    }

    #[rstest]
    #[case::unknown_key("formatts: []", "formatts")]
    #[case::wrong_type("formats: 7", "formats")]
    #[case::list("- a", "sequence")]
    #[case::missing_owner(
        "known-failures: [{ variant: a, check: b, reason: r, expires: 2030-01-31 }]",
        "owner"
    )]
    #[case::no_yaml("formats: [", "line")]
    fn a_mistake_is_named(#[case] text: &str, #[case] named: &str) {
        let message = Configuration::parse(text).expect_err("refused").to_string();
        assert!(message.contains(named) && message.ends_with("; correct it there"), "{message}");
    }

    #[test]
    fn a_folder_without_the_file_sets_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(Configuration::in_folder(dir.path()).expect("none"), Configuration::default());
        std::fs::write(dir.path().join(FILE), "filter: relay").expect("written");
        let read = Configuration::in_folder(dir.path()).expect("one");
        assert_eq!(read.filter.as_deref(), Some("relay"));
    }
}
