//! A capture that flows by once: standard input, or a pipe.
//!
//! Invariant: what is kept of it for a second reading is bounded, whatever flows by; the first reading goes through all
//! of it, unless keys that were given need the second one.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are kept, in a file without a name.
pub const KEPT: u64 = 4 << 30;

/// What flows by, and what was kept of it.
struct Kept {
    source: Option<Box<dyn Read + Send>>,
    file: File,
    length: u64,
    most: u64,
    /// More came than is kept, or the disk is full: nothing is kept any more.
    let_go: bool,
    /// Without a second reading the first is of no use.
    twice: bool,
}

/// Opens the capture, the first time as it flows by, and then from what was kept of it.
pub struct Flowing(Arc<Mutex<Kept>>);

impl Flowing {
    /// Keeps up to `most` bytes of `source`. `twice`: it will be read twice for sure.
    ///
    /// # Errors
    /// When there is no place for a file.
    pub fn new(source: impl Read + Send + 'static, most: u64, twice: bool) -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        let source: Option<Box<dyn Read + Send>> = Some(Box::new(source));
        Ok(Self(Arc::new(Mutex::new(Kept { source, file, length: 0, most, let_go: false, twice }))))
    }

    /// Opens it.
    ///
    /// # Errors
    /// When it is opened again, and too much flowed by to be kept.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = kept.source.take() {
            return Ok(Box::new(Passing { source, kept: Arc::clone(&self.0) }));
        }
        if kept.let_go {
            return Err(kept.too_much());
        }
        let mut again = kept.file.try_clone()?;
        again.seek(SeekFrom::Start(0))?;
        Ok(Box::new(again))
    }
}

impl Kept {
    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.let_go {
            return Ok(());
        }
        self.length += bytes.len() as u64;
        if self.length <= self.most && self.file.write_all(bytes).is_ok() {
            return Ok(());
        }
        self.let_go = true;
        self.file.set_len(0)?;
        if self.twice { Err(self.too_much()) } else { Ok(()) }
    }

    fn too_much(&self) -> io::Error {
        let text = format!(
            "keys need a second reading, and of what flows by at most {} MiB are kept, as far as the disk has room; write \
             it to a file and name that",
            self.most >> 20
        );
        io::Error::new(io::ErrorKind::FileTooLarge, text)
    }
}

/// The first reading.
struct Passing {
    source: Box<dyn Read + Send>,
    kept: Arc<Mutex<Kept>>,
}

impl Read for Passing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(buffer.get(..length).unwrap_or_default())?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flowing(length: usize, twice: bool) -> Flowing {
        let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
        Flowing::new(io::Cursor::new(bytes), 1 << 20, twice).expect("a file")
    }

    fn read(flowing: &Flowing) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        flowing.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[rstest::rstest]
    fn what_was_kept_is_read_again(
        #[values(0, 9, 1 << 20)] length: usize,
        #[values(false, true)] twice: bool,
    ) {
        let flowing = flowing(length, twice);
        let first = read(&flowing).expect("the first reading");
        assert_eq!(first.len(), length);
        for _ in 0..2 {
            assert_eq!(read(&flowing).expect("a further reading"), first);
        }
    }

    #[test]
    fn too_much_is_read_once_and_no_more() {
        let flowing = flowing((1 << 20) + 1, false);
        assert_eq!(read(&flowing).expect("the first reading").len(), (1 << 20) + 1);
        let error = read(&flowing).expect_err("nothing was kept");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(error.to_string().contains("at most 1 MiB are kept"), "{error}");
        let kept = flowing.0.lock().expect("unshared");
        assert_eq!(kept.file.metadata().expect("a file").len(), 0);
    }

    #[test]
    fn too_much_for_two_readings_is_refused_in_the_first() {
        let error = read(&flowing((1 << 20) + 1, true)).expect_err("it is too long");
        assert!(error.to_string().ends_with("write it to a file and name that"), "{error}");
    }
}
