//! The command line: arguments in, reports and an exit code out.
//!
//! Here alone, and in `dev`, is anything printed, the clock and the environment read, or the process ended; all
//! that is decided is decided by functions that get time, environment and files as arguments.

pub mod arguments;
pub mod baseline;
pub mod capabilities;
pub mod catalogue;
mod client_choice;
pub mod command;
pub mod conclude;
pub mod configuration;
mod diagnostics;
pub mod exit;
pub mod failure;
pub mod filter;
pub mod format_choice;
pub mod interrupt;
mod isolation;
pub mod keep;
pub mod key_argument;
pub mod known_failures;
pub mod matrix;
pub mod pages;
pub mod planning;
mod print;
pub mod progress;
pub mod run_folder;
pub mod running;
pub mod shard;
pub mod sources;
pub mod surroundings;
pub mod tally;
pub mod time_limit;

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command, DriverCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::surroundings::Surroundings;

/// Reads the arguments and does what they ask; a panic is a bug of ours and ends in its exit code.
pub fn start() -> Exit {
    let arguments = Arguments::parse();
    let others = match &arguments.command {
        Command::Run(run) => client_choice::others(&run.clients),
        Command::Matrix(_) | Command::Driver { .. } => true,
        _ => false,
    };
    if others {
        isolation::enter(std::env::args_os().skip(1));
    }
    let surroundings = Surroundings::look();
    let ended = catch_unwind(AssertUnwindSafe(|| dispatch(&arguments.command, &surroundings)));
    match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            print::note(&format!("overheard: {}", failure.text));
            failure.exit
        }
        Err(_) => {
            print::note("overheard: this is a bug of overheard; please report it with what stands above");
            Exit::Bug
        }
    }
}

fn dispatch(command: &Command, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => return command::run::run(arguments, surroundings),
        Command::Matrix(arguments) => return command::matrix::matrix(arguments, surroundings),
        Command::Judge(arguments) => return command::judge::judge(arguments, surroundings),
        Command::Audit(arguments) => return command::audit::audit(arguments, surroundings),
        Command::Merge(arguments) => return command::merge::merge(arguments, surroundings),
        Command::Explain { name } => command::explain::explain(name)?,
        Command::List(arguments) => command::list::list(arguments, surroundings)?,
        Command::Driver { command: DriverCommand::Check(arguments) } => {
            return command::driver::check(arguments, surroundings);
        }
        Command::Client(arguments) => return command::client::client(arguments),
        Command::Schema { name } => command::schema::schema(name)?,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "overheard", &mut text);
            print::stdout(&text)?;
        }
        Command::Man => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut text).map_err(Failure::error)?;
            print::stdout(&text)?;
        }
    }
    Ok(Exit::Pass)
}
