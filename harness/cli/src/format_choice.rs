//! `--format NAME[:FILE]`: which reports are written, and where to.

use std::path::PathBuf;
use std::str::FromStr;

use report::{
    AUDIT_FORMATS, AuditFormat, DRIVER_FORMATS, DriverFormat, FORMATS, Format, MATRIX_FORMATS, MatrixFormat,
};

/// A family of formats that one command writes.
pub trait Choosable: 'static {
    /// All of them, the terminal's first.
    fn all() -> &'static [&'static Self];
    /// The value of `--format`.
    fn name(&self) -> &'static str;
}

impl Choosable for Format {
    fn all() -> &'static [&'static Self] {
        FORMATS
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

impl Choosable for AuditFormat {
    fn all() -> &'static [&'static Self] {
        AUDIT_FORMATS
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

impl Choosable for MatrixFormat {
    fn all() -> &'static [&'static Self] {
        MATRIX_FORMATS
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

impl Choosable for DriverFormat {
    fn all() -> &'static [&'static Self] {
        DRIVER_FORMATS
    }

    fn name(&self) -> &'static str {
        self.name
    }
}

/// One report: to a file, or to standard output in place of the terminal's.
pub struct FormatChoice<F: Choosable = Format> {
    /// How it is rendered.
    pub format: &'static F,
    /// Where to; none is standard output.
    pub file: Option<PathBuf>,
}

impl<F: Choosable> Clone for FormatChoice<F> {
    fn clone(&self) -> Self {
        Self { format: self.format, file: self.file.clone() }
    }
}

/// Formats that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFormat {
    /// A name that is none, and those that are.
    #[error("`{0}` is no format; use one of {1}")]
    Unknown(String, String),
    /// A colon without a file.
    #[error("`{0}:` names no file; write the file behind the colon, or drop the colon for standard output")]
    NoFile(String),
    /// Two reports for standard output.
    #[error("`{0}` and `{1}` both go to standard output; give one of them a file, such as {1}:FILE")]
    TwoToStdout(&'static str, &'static str),
    /// Two reports for one file.
    #[error("two formats go to `{0}`; give each a file of its own")]
    OneFile(String),
}

impl<F: Choosable> FromStr for FormatChoice<F> {
    type Err = NoFormat;

    fn from_str(text: &str) -> Result<Self, NoFormat> {
        let (name, file) = match text.split_once(':') {
            None => (text, None),
            Some((name, "")) => return Err(NoFormat::NoFile(name.to_owned())),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
        };
        let known = || F::all().iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
        let format = F::all().iter().copied().find(|format| format.name() == name);
        Ok(Self { format: format.ok_or_else(|| NoFormat::Unknown(name.to_owned(), known()))?, file })
    }
}

impl<F: Choosable> std::fmt::Debug for FormatChoice<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{:?}", self.format.name(), self.file)
    }
}

/// The choices with the terminal's report added where none goes to standard output.
///
/// # Errors
/// When two reports would mix on standard output or in one file.
pub fn complete<F: Choosable>(mut choices: Vec<FormatChoice<F>>) -> Result<Vec<FormatChoice<F>>, NoFormat> {
    for (at, choice) in choices.iter().enumerate() {
        if let Some(other) = choices.iter().skip(at + 1).find(|other| other.file == choice.file) {
            return Err(match &choice.file {
                None => NoFormat::TwoToStdout(choice.format.name(), other.format.name()),
                Some(file) => NoFormat::OneFile(file.display().to_string()),
            });
        }
    }
    if choices.iter().all(|choice| choice.file.is_some()) {
        choices.extend(F::all().first().map(|format| FormatChoice { format: *format, file: None }));
    }
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn chosen(texts: &[&str]) -> Result<Vec<String>, NoFormat> {
        let choices = texts.iter().map(|t| t.parse()).collect::<Result<Vec<FormatChoice>, _>>()?;
        Ok(complete(choices)?.iter().map(|c| format!("{c:?}")).collect())
    }

    #[rstest]
    #[case::none(&[], &["terminal:None"])]
    #[case::a_file_leaves_the_terminal(&["junit:j.xml"], &["junit:Some(\"j.xml\")", "terminal:None"])]
    #[case::no_file_replaces_it(&["json"], &["json:None"])]
    #[case::a_file_may_hold_a_colon(&["json", "junit:a:b"], &["json:None", "junit:Some(\"a:b\")"])]
    fn reports_are_chosen(#[case] texts: &[&str], #[case] expected: &[&str]) {
        assert_eq!(chosen(texts).expect("formats"), expected);
    }

    #[rstest]
    #[case::unknown(&["sarif"], "`sarif` is no format; use one of terminal, json, junit, github, html")]
    #[case::empty_file(&["json:"], "`json:` names no file; write the file behind the colon, or drop the colon for standard output")]
    #[case::two(&["json", "junit"], "`json` and `junit` both go to standard output; give one of them a file, such as junit:FILE")]
    #[case::one_file(&["json:x", "junit:x"], "two formats go to `x`; give each a file of its own")]
    fn what_cannot_be_meant_is_refused(#[case] texts: &[&str], #[case] message: &str) {
        assert_eq!(chosen(texts).expect_err("refused").to_string(), message);
    }
}
