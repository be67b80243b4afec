//! The binary `overheard`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::start().into()
}
