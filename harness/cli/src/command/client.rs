//! `overheard client`: the reference client behind the driver protocol, on standard input and output.

use runner::reference::{Manner, serve};

use crate::arguments;
use crate::exit::Exit;
use crate::failure::Failure;

/// Serves one session after the other until it is told to end, or its input ends.
///
/// # Errors
/// When there is no randomness, or input or output break.
pub fn client(arguments: &arguments::Client) -> Result<Exit, Failure> {
    let manner =
        Manner { profile: arguments.profile, flaw: arguments.flaw, keeps_hop_keys: arguments.no_hop_keys };
    let mut seed = [0; 32];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut seed)
        .map_err(|_| Failure::error("the system gave no randomness; run again"))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::error)?;
    let input = tokio::io::BufReader::new(tokio::io::stdin());
    runtime.block_on(serve(input, tokio::io::stdout(), seed, manner)).map_err(Failure::error)?;
    // A thread waits for input that nobody sends any more.
    runtime.shutdown_background();
    Ok(Exit::Pass)
}
