//! How long a body is, and what is in it (RFC 9112 §6 and §7).

use super::{Header, HttpError, Start};

/// Content and length on the wire of the body at the start of `bytes`; none when it is cut short.
pub(super) fn read(
    start: &Start,
    headers: &[Header],
    bytes: &[u8],
    ended: bool,
) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    if let Start::Response { status: 100..=199 | 204 | 304 } = start {
        return Ok(Some((Vec::new(), 0)));
    }
    let values = |name: &'static str| {
        headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| &*header.value)
    };
    let encodings: Vec<&str> = values("transfer-encoding").collect();
    let lengths: Vec<&str> = values("content-length").collect();
    match (&encodings[..], &lengths[..], start) {
        ([], [], Start::Request { .. }) => Ok(Some((Vec::new(), 0))),
        ([], [], Start::Response { .. }) => Ok(ended.then(|| (bytes.to_vec(), bytes.len()))),
        ([], [length], _) => {
            let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            let length: usize = length.parse().ok().filter(|_| digits).ok_or(HttpError::AmbiguousLength)?;
            Ok(bytes.get(..length).map(|body| (body.to_vec(), length)))
        }
        ([encoding], [], _) if encoding.eq_ignore_ascii_case("chunked") => chunked(bytes),
        _ => Err(HttpError::AmbiguousLength),
    }
}

/// A chunked body (RFC 9112 §7.1); trailer fields are passed over.
fn chunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = line(bytes, at) else { return open_line(bytes, at) };
        let size = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
        if size.is_empty() || size.len() > 8 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err(HttpError::BadChunk);
        }
        let size = size.iter().fold(0, |size, digit| size << 4 | hex_value(*digit));
        at += line.len() + 2;
        if size == 0 {
            break;
        }
        let Some(chunk) = bytes.get(at..at + size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        at += size;
        match bytes.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(_) => return Err(HttpError::BadChunk),
            None => return Ok(None),
        }
    }
    loop {
        let Some(trailer) = line(bytes, at) else { return open_line(bytes, at) };
        at += trailer.len() + 2;
        if trailer.is_empty() {
            return Ok(Some((body, at)));
        }
    }
}

/// Longest line within a chunked body; extensions and trailers beyond it are no chunk of ours.
const LONGEST_LINE: usize = 8 * 1024;

/// The line at an offset, without its end.
fn line(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let window = &rest[..rest.len().min(LONGEST_LINE)];
    window.windows(2).position(|two| two == b"\r\n").map(|end| &window[..end])
}

/// A line without an end is cut short, or no line at all.
fn open_line(bytes: &[u8], at: usize) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    if bytes.len().saturating_sub(at) >= LONGEST_LINE { Err(HttpError::BadChunk) } else { Ok(None) }
}

fn hex_value(digit: u8) -> usize {
    usize::from(match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_uppercase() - b'A' + 10,
    })
}
