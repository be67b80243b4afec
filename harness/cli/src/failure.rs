//! What stops a command before or beside its verdict: a text for standard error and the exit code that goes with it.

use std::fmt::Display;

use crate::exit::Exit;

/// A command that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the process ends with.
    pub exit: Exit,
    /// What the user is told; it ends in a next step.
    pub text: String,
}

impl Failure {
    /// The arguments, the configuration or a scenario are wrong.
    pub fn usage(text: impl Display) -> Self {
        Self { exit: Exit::Usage, text: text.to_string() }
    }

    /// The environment stumbled.
    pub fn error(text: impl Display) -> Self {
        Self { exit: Exit::Error, text: text.to_string() }
    }

    /// A bug of overheard.
    pub fn bug(text: impl Display) -> Self {
        Self { exit: Exit::Bug, text: text.to_string() }
    }
}
