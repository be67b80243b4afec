//! Standard output and standard error; a reader that has gone away is no failure.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes `text` to standard output.
///
/// # Errors
/// When it cannot be written and there is still somebody to read it.
pub fn stdout(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::error(format!("standard output cannot be written ({why}); give a file")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error.
pub fn note(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
