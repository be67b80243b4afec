//! Standard output and standard error; a reader that has gone away is no failure.

use std::io::{self, Write};

use crate::exit::Exit;

/// Writes `text` to standard output.
pub fn stdout(text: &[u8]) -> Exit {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => Exit::Pass,
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Exit::Pass,
        Err(why) => failure(&format!("standard output cannot be written ({why}); give a file"), Exit::Error),
    }
}

/// Writes a line to standard error.
pub fn note(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says on standard error what went wrong, and hands `exit` back.
pub fn failure(text: &str, exit: Exit) -> Exit {
    note(&format!("overheard: {text}"));
    exit
}
