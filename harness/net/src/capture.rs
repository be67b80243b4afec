//! Writes a capture in pcapng, block by block.
//!
//! Invariant: what reaches the file is a whole number of blocks, in little endian, with times in nanoseconds; the
//! first write error is kept until [`CaptureFile::finish`] returns it, and nothing is written after it.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Blocks are handed to the file when this many bytes are held back.
const HELD_BACK: usize = 64 * 1024;
/// Blocks are also handed to the file when this much time lies between them, so that a slow world can be read while
/// it runs.
const HELD_BACK_NS: u64 = 1_000_000_000;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
const LINK_TYPE_ETHERNET: u16 = 1;
const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const OPTION_INTERFACE_NAME: u16 = 2;
const OPTION_APPLICATION: u16 = 4;
const OPTION_TIME_RESOLUTION: u16 = 9;

/// A capture that is being written.
pub struct CaptureFile {
    out: Box<dyn Write + Send>,
    held: Vec<u8>,
    interfaces: u32,
    handed_at_ns: u64,
    failed: Option<io::Error>,
}

impl CaptureFile {
    /// Begins a capture in the file at `path`, which it makes or empties.
    ///
    /// # Errors
    /// When the file cannot be made. What fails later is returned by [`crate::Network::finish`].
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut capture = Self::new(Box::new(File::create(path)?));
        // A process that is killed leaves a capture, however early.
        capture.hand_over();
        Ok(capture)
    }

    /// Begins a capture in `out`, which gets large writes of whole blocks.
    pub fn new(out: Box<dyn Write + Send>) -> Self {
        let mut capture = Self {
            out,
            held: Vec::with_capacity(HELD_BACK + 32 * 1024),
            interfaces: 0,
            handed_at_ns: 0,
            failed: None,
        };
        capture.block(SECTION_HEADER, |body| {
            body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
            body.extend(1u16.to_le_bytes());
            body.extend(0u16.to_le_bytes());
            // The length of the section is not known beforehand: -1.
            body.extend(u64::MAX.to_le_bytes());
            option(body, OPTION_APPLICATION, concat!("overheard ", env!("CARGO_PKG_VERSION")).as_bytes());
            option(body, OPTION_END, &[]);
        });
        capture
    }

    /// Adds an interface and returns its number.
    pub(crate) fn add_interface(&mut self, name: &str) -> u32 {
        self.block(INTERFACE_DESCRIPTION, |body| {
            body.extend(LINK_TYPE_ETHERNET.to_le_bytes());
            body.extend(0u16.to_le_bytes());
            // No snap length: packets are whole.
            body.extend(0u32.to_le_bytes());
            option(body, OPTION_INTERFACE_NAME, name.as_bytes());
            option(body, OPTION_TIME_RESOLUTION, &[9]);
            option(body, OPTION_END, &[]);
        });
        self.interfaces += 1;
        self.interfaces - 1
    }

    /// Adds one packet, an Ethernet frame, at `time_ns` nanoseconds from 1970.
    pub(crate) fn packet(&mut self, interface: u32, time_ns: u64, frame: &[u8], comment: Option<&str>) {
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.block(ENHANCED_PACKET, |body| {
            body.extend(interface.to_le_bytes());
            body.extend(((time_ns >> 32) as u32).to_le_bytes());
            body.extend((time_ns as u32).to_le_bytes());
            body.extend(length.to_le_bytes());
            body.extend(length.to_le_bytes());
            body.extend(frame);
            pad(body);
            if let Some(comment) = comment {
                option(body, OPTION_COMMENT, comment.as_bytes());
                option(body, OPTION_END, &[]);
            }
        });
        if self.held.len() >= HELD_BACK || time_ns.saturating_sub(self.handed_at_ns) >= HELD_BACK_NS {
            self.handed_at_ns = time_ns;
            self.hand_over();
        }
    }

    /// Writes what is held back.
    ///
    /// # Errors
    /// The first error that any write met; the same one each time.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.hand_over();
        match &self.failed {
            None => Ok(()),
            // An `io::Error` cannot be cloned; the system's code keeps its kind.
            Some(error) => Err(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            }),
        }
    }

    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
        if self.failed.is_some() {
            return;
        }
        // Every block is a multiple of 4 long, so padding counted from the start of the buffer is right.
        let start = self.held.len();
        self.held.extend(kind.to_le_bytes());
        self.held.extend([0; 4]);
        body(&mut self.held);
        let total = ((self.held.len() - start + 4) as u32).to_le_bytes();
        self.held.extend(total);
        if let Some(length) = self.held.get_mut(start + 4..start + 8) {
            length.copy_from_slice(&total);
        }
    }

    fn hand_over(&mut self) {
        if self.failed.is_none()
            && let Err(error) = self.out.write_all(&self.held).and_then(|()| self.out.flush())
        {
            self.failed = Some(error);
        }
        self.held.clear();
    }
}

impl Drop for CaptureFile {
    fn drop(&mut self) {
        self.hand_over();
    }
}

impl std::fmt::Debug for CaptureFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureFile").field("interfaces", &self.interfaces).finish_non_exhaustive()
    }
}

/// Appends an option: code, length, value, padding. A value that is too long is cut.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
pub(crate) mod tests;
