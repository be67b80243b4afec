//! `overheard client`: the reference client behind the driver protocol, on standard input and output.

use crate::exit::Exit;
use crate::failure::Failure;

/// Serves one session after the other until it is told to end, or its input ends.
///
/// # Errors
/// When there is no randomness, or input or output break.
pub fn client() -> Result<Exit, Failure> {
    let mut seed = [0; 32];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut seed)
        .map_err(|_| Failure::error("the system gave no randomness; run again"))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::error)?;
    let input = tokio::io::BufReader::new(tokio::io::stdin());
    runtime.block_on(runner::reference::serve(input, tokio::io::stdout(), seed)).map_err(Failure::error)?;
    // A thread waits for input that nobody sends any more.
    runtime.shutdown_background();
    Ok(Exit::Pass)
}
