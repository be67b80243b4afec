//! Start line and header fields (RFC 9112 §2 to §5).

use super::{HttpError, LONGEST_HEAD, Side, Start};

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As it stands; names are compared without case.
    pub name: String,
    /// Without the white space around it.
    pub value: String,
}

/// Reads the head at the start of `bytes`, to behind its empty line; none when it is cut short.
pub(super) fn parse(side: Side, bytes: &[u8]) -> Result<Option<(Start, Vec<Header>, usize)>, HttpError> {
    let limit = bytes.len().min(LONGEST_HEAD);
    let window = &bytes[..limit];
    let Some(end) = window.windows(4).position(|four| four == b"\r\n\r\n") else {
        return match bytes.len() {
            length if length < LONGEST_HEAD => check_start(side, window).map(|()| None),
            _ => Err(HttpError::HeadTooLong),
        };
    };
    let head = std::str::from_utf8(&window[..end]).map_err(|_| HttpError::BadHeader)?;
    let mut lines = head.split("\r\n");
    let start = start_line(side, lines.next().unwrap_or_default())?;
    let headers = lines.map(header).collect::<Result<_, _>>()?;
    Ok(Some((start, headers, end + 4)))
}

/// Tells early that a stream is no HTTP: its first line, once it is whole, must be one.
fn check_start(side: Side, window: &[u8]) -> Result<(), HttpError> {
    match window.windows(2).position(|two| two == b"\r\n") {
        None => Ok(()),
        Some(end) => {
            let line = std::str::from_utf8(&window[..end]).map_err(|_| HttpError::NoStartLine)?;
            start_line(side, line).map(|_| ())
        }
    }
}

fn start_line(side: Side, line: &str) -> Result<Start, HttpError> {
    match side {
        Side::Requests => {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next(), words.next()) {
                (Some(method), Some(target), Some("HTTP/1.1"), None)
                    if is_token(method) && is_visible(target) =>
                {
                    Ok(Start::Request { method: method.to_owned(), target: target.to_owned() })
                }
                _ => Err(HttpError::NoStartLine),
            }
        }
        Side::Responses => {
            let rest = line.strip_prefix("HTTP/1.1 ").ok_or(HttpError::NoStartLine)?;
            let (status, _reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
            match status.parse() {
                Ok(status) if digits && status >= 100 => Ok(Start::Response { status }),
                _ => Err(HttpError::NoStartLine),
            }
        }
    }
}

fn header(line: &str) -> Result<Header, HttpError> {
    let (name, value) = line.split_once(':').ok_or(HttpError::BadHeader)?;
    if !is_token(name) || value.bytes().any(|byte| byte != b'\t' && byte.is_ascii_control()) {
        return Err(HttpError::BadHeader);
    }
    Ok(Header { name: name.to_owned(), value: value.trim_matches([' ', '\t']).to_owned() })
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(legal)
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
