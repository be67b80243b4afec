//! The arguments, as `clap` reads them; a value that is missing here comes from `overheard.yaml` or a default.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use model::flaw::Flaw;
use model::plan::{NetKind, Profile};
use model::results::Sweep;

use crate::client_choice::ClientChoice;
use crate::exit::Exit;
use crate::filter::Filter;
use crate::format_choice::FormatChoice;
use crate::key_argument::KeyArgument;
use crate::pages::Kind;
use crate::shard::Shard;
use crate::time_limit::TimeLimit;

/// Who can hear this call?
///
/// Runs calls from scenarios, records every packet, and shows from the packets and keys which listeners could
/// open which media frames.
#[derive(Debug, Parser)]
#[command(name = "overheard", version, after_help = exit_codes())]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

fn exit_codes() -> String {
    let lines = Exit::ALL.iter().map(|e| format!("  {:<4}{}\n", e.code(), e.meaning()));
    format!("Exit codes:\n{}", lines.collect::<String>())
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios, write reports/<run>/ and print verdicts.
    Run(Run),
    /// Run every ordered pair of some clients over some scenarios, write reports/<run>/ and draw the table.
    Matrix(Matrix),
    /// Judge a saved run again, offline.
    Judge(Judge),
    /// Put the parts of a sharded run together and judge the whole.
    Merge(Merge),
    /// Judge captures made by anybody: who can read which stream.
    Audit(Audit),
    /// Print the page of a check, requirement, attack, flaw, feature or release.
    Explain {
        /// Its name.
        name: String,
    },
    /// List names, one per line.
    List(List),
    /// Be the reference client behind the driver protocol, on standard input and output.
    Client(Client),
    /// Work on a driver: a program that puts a client behind the driver protocol.
    Driver {
        /// What to do with it.
        #[command(subcommand)]
        command: DriverCommand,
    },
    /// Print a JSON Schema.
    Schema {
        /// Of what: audit, driver, matrix, results or scenario.
        name: String,
    },
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

/// What can be done with a driver.
#[derive(Debug, Subcommand)]
pub enum DriverCommand {
    /// Probe whether it keeps to the protocol, and say how to mend what does not.
    Check(DriverCheck),
}

/// Which captures and keys stay after judging.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// All of them.
    #[default]
    All,
    /// Those of variants that did not pass.
    Failed,
    /// None.
    None,
}

/// When the terminal's report is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Options of every command that prints a report.
#[derive(Args, Clone, Debug, Default)]
pub struct Reporting {
    /// Write a report: NAME to standard output, NAME:FILE to a file (repeatable).
    #[arg(long = "format", value_name = "NAME[:FILE]", env = "OVERHEARD_FORMAT")]
    pub formats: Vec<FormatChoice>,
    /// Tell of caught checks as of failures.
    #[arg(long, env = "OVERHEARD_SHOW_CAUGHT", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub show_caught: bool,
    /// Leave out progress and the lines of variants that passed.
    #[arg(long, env = "OVERHEARD_QUIET", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub quiet: bool,
    /// When to colour the terminal's report.
    #[arg(long, value_name = "WHEN", env = "OVERHEARD_COLOR")]
    pub color: Option<Colour>,
    /// How much of the free bytes to try as secrets.
    #[arg(long, value_name = "full|light|off", env = "OVERHEARD_SWEEP")]
    pub sweep: Option<Sweep>,
    /// Results of an earlier run: what passed there and did not run here is lost coverage.
    #[arg(long, value_name = "FILE", env = "OVERHEARD_BASELINE")]
    pub baseline: Option<PathBuf>,
}

/// Arguments of `audit`.
#[derive(Args, Clone, Debug, Default)]
pub struct Audit {
    /// The captures: pcap or pcapng, also packed with gzip, zstd or lz4; - is standard input.
    #[arg(value_name = "CAPTURE", required = true)]
    pub captures: Vec<String>,
    /// Keys and who holds them (repeatable): parties are the two devices, any other owner a middle party.
    #[arg(long, value_name = "OWNER:FILE")]
    pub keys: Vec<KeyArgument>,
    /// The given keys of this middle party are all that it holds (repeatable).
    #[arg(long, value_name = "OWNER")]
    pub complete: Vec<String>,
    /// Write a report: NAME to standard output, NAME:FILE to a file (repeatable).
    #[arg(long = "format", value_name = "NAME[:FILE]")]
    pub formats: Vec<FormatChoice<report::AuditFormat>>,
    /// Replace addresses and names by pseudonyms in every report.
    #[arg(long)]
    pub redact: bool,
    /// How much of what middle parties can read to try as secrets, where keys are given: light unless given.
    #[arg(long, value_name = "full|light|off", env = "OVERHEARD_SWEEP")]
    pub sweep: Option<Sweep>,
    /// Leave out the SHA-256 of each file.
    #[arg(long)]
    pub no_hash: bool,
    /// Leave out progress.
    #[arg(long, env = "OVERHEARD_QUIET", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub quiet: bool,
    /// When to colour the terminal's report.
    #[arg(long, value_name = "WHEN", env = "OVERHEARD_COLOR")]
    pub color: Option<Colour>,
}

/// Arguments of `driver check`.
#[derive(Args, Clone, Debug, Default)]
pub struct DriverCheck {
    /// The driver's program and its arguments.
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<std::ffi::OsString>,
    /// In place of a command: a client of overheard.yaml, or cmd: and a line for the shell.
    #[arg(long, value_name = "CLIENT", conflicts_with = "command")]
    pub client: Option<String>,
    /// Try the probes whose id has every word and no !word, and what they need.
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    pub filter: Option<Filter>,
    /// How long an answer may take; 5s unless given.
    #[arg(long, value_name = "TIME")]
    pub deadline: Option<TimeLimit>,
    /// Keep record, capture and keys of the calls in a folder, absent or empty.
    #[arg(long, value_name = "DIR", env = "OVERHEARD_OUT")]
    pub out: Option<PathBuf>,
    /// Write a report: terminal or json to standard output, NAME:FILE to a file (repeatable).
    #[arg(long = "format", value_name = "NAME[:FILE]")]
    pub formats: Vec<FormatChoice<report::DriverFormat>>,
    /// Leave out progress.
    #[arg(long, env = "OVERHEARD_QUIET", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub quiet: bool,
    /// When to colour the terminal's report.
    #[arg(long, value_name = "WHEN", env = "OVERHEARD_COLOR")]
    pub color: Option<Colour>,
}

/// Arguments of `judge`.
#[derive(Args, Clone, Debug, Default)]
pub struct Judge {
    /// The run: a folder, a name under reports, or latest.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Arguments of `merge`.
#[derive(Args, Clone, Debug, Default)]
pub struct Merge {
    /// The parts: folders or names under reports.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<String>,
    /// The folder of the whole run, absent or empty.
    #[arg(long, value_name = "DIR", env = "OVERHEARD_OUT")]
    pub out: Option<PathBuf>,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Arguments of `list`.
#[derive(Args, Clone, Debug, Default)]
pub struct List {
    /// What to list; scenarios unless given.
    pub kind: Option<Kind>,
    /// List the names that have every word and no !word.
    #[arg(long, value_name = "WORDS", env = "OVERHEARD_FILTER", allow_hyphen_values = true)]
    pub filter: Option<Filter>,
    /// Write the built-in scenarios into a folder that is absent or empty.
    #[arg(long, value_name = "DIR")]
    pub export: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Args, Clone, Debug, Default)]
pub struct Run {
    /// Scenario files and folders of them; without any, ./scenarios or else the built-in set.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The folder of this run, absent or empty.
    #[arg(long, value_name = "DIR", env = "OVERHEARD_OUT")]
    pub out: Option<PathBuf>,
    /// The network, whatever the scenarios say.
    #[arg(long, value_name = "memory|loopback", env = "OVERHEARD_NET")]
    pub net: Option<NetKind>,
    /// The seed of the run.
    #[arg(long, value_name = "N", env = "OVERHEARD_SEED", default_value_t = 0)]
    pub seed: u64,
    /// How many worlds run at once; as many as there are processors unless given.
    #[arg(long, value_name = "N", env = "OVERHEARD_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Run the variants whose id has every word and no !word.
    #[arg(long, value_name = "WORDS", env = "OVERHEARD_FILTER", allow_hyphen_values = true)]
    pub filter: Option<Filter>,
    /// Which captures and keys stay after judging.
    #[arg(long, value_name = "WHICH", env = "OVERHEARD_KEEP")]
    pub keep: Option<Keep>,
    /// End a world that takes longer, in real time, as an error; 60s unless given.
    #[arg(long, value_name = "TIME", env = "OVERHEARD_TIMEOUT")]
    pub timeout: Option<TimeLimit>,
    /// Use a client made by others for one side: caller or callee, = and a name or cmd:COMMAND (repeatable). Such a
    /// run is over loopback.
    #[arg(long = "client", value_name = "SIDE=CLIENT")]
    pub clients: Vec<ClientChoice>,
    /// Run one part of the variants only; merge puts parts together.
    #[arg(long, value_name = "I/N", env = "OVERHEARD_SHARD")]
    pub shard: Option<Shard>,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Arguments of `client`.
#[derive(Args, Clone, Debug, Default)]
pub struct Client {
    /// Speak this profile alone: frames, dtls, or own, an example of a scheme that a vendor might have.
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<Profile>,
    /// Have this deliberate fault; see overheard list flaws.
    #[arg(long, value_name = "NAME")]
    pub flaw: Option<Flaw>,
    /// Export no keys of its hops, like a client that cannot.
    #[arg(long)]
    pub no_hop_keys: bool,
}

/// Arguments of `matrix`.
#[derive(Args, Clone, Debug, Default)]
pub struct Matrix {
    /// Scenario files and folders of them; without any, a small set: sealed over the forwarder, sealed directly, and an
    /// ordinary call in which one has opted in.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The clients, each as a row and as a column: reference and names under `clients` in overheard.yaml. All of them
    /// unless given.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',', env = "OVERHEARD_CLIENTS")]
    pub clients: Vec<String>,
    /// The folder of the matrix, absent or empty.
    #[arg(long, value_name = "DIR", env = "OVERHEARD_OUT")]
    pub out: Option<PathBuf>,
    /// The seed of every cell.
    #[arg(long, value_name = "N", env = "OVERHEARD_SEED", default_value_t = 0)]
    pub seed: u64,
    /// How many worlds of one cell run at once; as many as there are processors unless given.
    #[arg(long, value_name = "N", env = "OVERHEARD_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Run the variants whose id has every word and no !word.
    #[arg(long, value_name = "WORDS", env = "OVERHEARD_FILTER", allow_hyphen_values = true)]
    pub filter: Option<Filter>,
    /// End a world that takes longer, in real time, as an error; 60s unless given.
    #[arg(long, value_name = "TIME", env = "OVERHEARD_TIMEOUT")]
    pub timeout: Option<TimeLimit>,
    /// An earlier matrix.json: only cells that got worse, new ones that fail and lost ones are red.
    #[arg(long, value_name = "FILE", env = "OVERHEARD_BASELINE")]
    pub baseline: Option<PathBuf>,
    /// Write a report: NAME to standard output, NAME:FILE to a file (repeatable).
    #[arg(long = "format", value_name = "NAME[:FILE]")]
    pub formats: Vec<FormatChoice<report::MatrixFormat>>,
    /// How much of the free bytes to try as secrets: light unless given.
    #[arg(long, value_name = "full|light|off", env = "OVERHEARD_SWEEP")]
    pub sweep: Option<Sweep>,
    /// Leave out what each cell came to while the others run.
    #[arg(long, env = "OVERHEARD_QUIET", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    pub quiet: bool,
    /// When to colour the terminal's report.
    #[arg(long, value_name = "WHEN", env = "OVERHEARD_COLOR")]
    pub color: Option<Colour>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let help = Arguments::command().render_long_help().to_string();
        for exit in Exit::ALL {
            assert!(help.contains(exit.meaning()), "{} is missing in {help}", exit.code());
        }
    }
}
