//! What the process finds around itself, read once at its start.

use std::io::IsTerminal;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::arguments::Colour;

/// Clock, environment and terminal as they were at the start.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The current folder, as a relative path: files are shown as the user would write them.
    pub folder: PathBuf,
    /// When the process started.
    pub now: OffsetDateTime,
    /// Whether standard output is a terminal.
    pub stdout_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_terminal: bool,
    /// Whether `NO_COLOR` is set and not empty.
    pub no_colour: bool,
    /// Columns of the terminal, if there is one.
    pub columns: Option<u16>,
    /// What started the program, for commands that reports print.
    pub program: String,
    /// How many worlds may run at once.
    pub processors: usize,
    /// Whether `OVERHEARD_REQUIRE_PEERS` is 1: no program made by others may be missing.
    pub peers_required: bool,
}

impl Surroundings {
    /// Looks around.
    pub fn look() -> Self {
        let under_cargo = std::env::var_os("CARGO").is_some();
        let program = match (under_cargo, cfg!(debug_assertions)) {
            (false, _) => "overheard",
            (true, true) => "cargo run --",
            (true, false) => "cargo run --release --",
        };
        Self {
            folder: PathBuf::new(),
            now: OffsetDateTime::now_utc(),
            stdout_terminal: std::io::stdout().is_terminal(),
            stderr_terminal: std::io::stderr().is_terminal(),
            no_colour: std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()),
            columns: console::Term::stdout().size_checked().map(|(_, columns)| columns),
            program: program.to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            peers_required: std::env::var_os("OVERHEARD_REQUIRE_PEERS").is_some_and(|v| v == "1"),
        }
    }

    /// Whether the terminal's report is coloured.
    pub fn coloured(&self, wish: Colour) -> bool {
        match wish {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => self.stdout_terminal && !self.no_colour,
        }
    }

    /// Columns of a report: those of the terminal within reason, 100 without one.
    pub fn width(&self) -> usize {
        self.columns.map_or(100, |columns| usize::from(columns).clamp(60, 140))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::terminal(Colour::Auto, true, false, true)]
    #[case::no_color(Colour::Auto, true, true, false)]
    #[case::file(Colour::Auto, false, false, false)]
    #[case::wanted_in_a_file(Colour::Always, false, true, true)]
    #[case::unwanted(Colour::Never, true, false, false)]
    fn colour_is_for_terminals(
        #[case] wish: Colour,
        #[case] stdout_terminal: bool,
        #[case] no_colour: bool,
        #[case] expected: bool,
    ) {
        let surroundings = Surroundings { stdout_terminal, no_colour, ..Surroundings::look() };
        assert_eq!(surroundings.coloured(wish), expected);
    }
}
