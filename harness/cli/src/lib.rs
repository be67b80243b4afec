//! The command line: arguments in, reports and an exit code out.
//!
//! Here alone, and in `dev`, is anything printed, the clock and the environment read, or the process ended; all
//! that is decided is decided by functions that get time, environment and files as arguments.

pub mod arguments;
pub mod baseline;
pub mod configuration;
pub mod exit;
pub mod filter;
pub mod format_choice;
pub mod interrupt;
pub mod known_failures;
pub mod progress;
pub mod run_folder;
pub mod shard;
pub mod tally;
pub mod timeout;

mod print;

use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;

/// Reads the arguments and does what they ask.
pub fn start() -> Exit {
    match Arguments::parse().command {
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "overheard", &mut text);
            print::stdout(&text)
        }
        Command::Man => {
            let mut text = Vec::new();
            match clap_mangen::Man::new(Arguments::command()).render(&mut text) {
                Ok(()) => print::stdout(&text),
                Err(why) => {
                    print::failure(&format!("the manual page could not be written ({why})"), Exit::Error)
                }
            }
        }
    }
}
