//! The record layer (RFC 8446 §5): where each record of a stream lies.

use std::ops::Range;

/// Content types (RFC 8446 §5.1).
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// Bytes of a record's header.
pub(super) const HEADER: usize = 5;
/// Most bytes after the header (RFC 8446 §5.2).
const LONGEST: usize = (1 << 14) + 256;

/// One record as it lies on the wire.
pub(super) struct Record<'a> {
    pub content_type: u8,
    pub header: &'a [u8],
    pub body: &'a [u8],
    /// Offsets in the stream, header included.
    pub wire: Range<usize>,
}

/// The whole records at the start of a stream; it ends at the first that is cut short or that is
/// none.
pub(super) struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub fn of(stream: &'a [u8]) -> Self {
        Self { stream, at: 0 }
    }

    /// Where the next record would begin.
    pub fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let rest = self.stream.get(self.at..)?;
        let (header, rest) = rest.split_at_checked(HEADER)?;
        let &[content_type, major, _, high, low] = header else { return None };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if !(20..=23).contains(&content_type) || major != 3 || length > LONGEST {
            return None;
        }
        let body = rest.get(..length)?;
        let start = self.at;
        self.at += HEADER + length;
        Some(Record { content_type, header, body, wire: start..self.at })
    }
}

/// Takes the first whole handshake message off `bytes`: its type and its body (RFC 8446 §4).
pub(super) fn handshake_message(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&[kind, a, b, c], rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
    Some((kind, rest.get(..length)?, 4 + length))
}
