//! `--keys OWNER:FILE`: a key file and who holds what stands in it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use audit::key_file::{Key, KeyFile, NoOwner, Owner};

/// A key file with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyArgument {
    /// Who holds the keys that name nobody else.
    pub owner: Owner,
    /// The file.
    pub file: PathBuf,
}

/// A value of `--keys` that cannot be meant, or a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    /// No colon.
    #[error(
        "`{0}` names no owner; write OWNER:FILE, such as parties:{0} for the keys of the two devices or sfu:{0} for those \
         of a middle party"
    )]
    Ownerless(String),
    /// An owner that is none.
    #[error(transparent)]
    Owner(#[from] NoOwner),
    /// A file that cannot be read.
    #[error("the key file {file} cannot be read ({why}); check the path and the permissions")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        why: std::io::Error,
    },
    /// Lines that cannot be used.
    #[error("{file}: {lines}; correct the lines, or put a # before those that are no keys")]
    Lines {
        /// Which file.
        file: String,
        /// What is wrong with which lines.
        lines: String,
    },
}

impl FromStr for KeyArgument {
    type Err = NoKeys;

    fn from_str(text: &str) -> Result<Self, NoKeys> {
        let (owner, file) = text.split_once(':').ok_or_else(|| NoKeys::Ownerless(text.to_owned()))?;
        if file.is_empty() {
            return Err(NoKeys::Ownerless(text.to_owned()));
        }
        Ok(Self { owner: Owner::named(owner)?, file: PathBuf::from(file) })
    }
}

impl KeyArgument {
    /// Reads the file, whose path is relative to `folder`.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it cannot be used.
    pub fn read(&self, folder: &Path) -> Result<Vec<Key>, NoKeys> {
        let file = self.file.display().to_string();
        let bytes = std::fs::read(folder.join(&self.file))
            .map_err(|why| NoKeys::Unreadable { file: file.clone(), why })?;
        let found = KeyFile::parse(&String::from_utf8_lossy(&bytes), Some(&self.owner));
        if found.errors.is_empty() {
            return Ok(found.keys);
        }
        let lines: Vec<String> = found.errors.iter().take(5).map(ToString::to_string).collect();
        let more = found.errors.len().saturating_sub(5);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        Err(NoKeys::Lines { file, lines: format!("{}{more}", lines.join("; ")) })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::parties("parties:keys.log", "parties", "keys.log")]
    #[case::another("sfu:a:b.log", "sfu", "a:b.log")]
    fn owner_and_file_are_told_apart(#[case] text: &str, #[case] owner: &str, #[case] file: &str) {
        let argument: KeyArgument = text.parse().expect("an owner and a file");
        assert_eq!((argument.owner.to_string().as_str(), argument.file.to_str()), (owner, Some(file)));
    }

    #[rstest]
    #[case::no_owner("keys.log", "`keys.log` names no owner; write OWNER:FILE")]
    #[case::no_file("sfu:", "`sfu:` names no owner")]
    #[case::drive("C:\\keys.log", "`C` is no owner")]
    fn what_cannot_be_meant_is_refused(#[case] text: &str, #[case] message: &str) {
        let refused = text.parse::<KeyArgument>().expect_err("refused").to_string();
        assert!(refused.starts_with(message), "{refused}");
    }

    #[test]
    fn a_line_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("bad.keys"), "# fine\nSRTP nonsense 00\n").expect("written");
        let argument: KeyArgument = "sfu:bad.keys".parse().expect("an argument");
        let refused = argument.read(folder.path()).expect_err("refused").to_string();
        assert!(refused.starts_with("bad.keys: line 2: "), "{refused}");
    }
}
