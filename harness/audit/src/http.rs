//! Reads HTTP/1.1 messages (RFC 9112) from a byte stream, and tells where each lay.
//!
//! It reads one direction at a time and is strict: what two readers could understand differently is
//! an error, because something could hide there.

mod body;
mod head;

use std::ops::Range;

pub use head::Header;

/// The most bytes that a head may have.
pub const LONGEST_HEAD: usize = 64 * 1024;

/// Which direction is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the client.
    Requests,
    /// From the server.
    Responses,
}

/// The first line of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// As it stands: methods are case-sensitive.
        method: String,
        /// The request target, still percent-encoded.
        target: String,
    },
    /// A response.
    Response {
        /// The status code, 100 to 999.
        status: u16,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its first line.
    pub start: Start,
    /// Its header fields, in their order.
    pub headers: Vec<Header>,
    /// Its content, with the chunks put together.
    pub body: Vec<u8>,
    /// Where it lies in the stream, first line to last byte of the body.
    pub range: Range<usize>,
}

impl Message {
    /// The value of the first header field of that name, which is compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &*header.value)
    }

    /// Whether the connection is a WebSocket from here on: a response 101 that says so (RFC 6455
    /// §4.2.2).
    pub fn switches_to_websocket(&self) -> bool {
        self.start == Start::Response { status: 101 } && self.says_websocket()
    }

    /// Whether the client asks for that.
    pub fn asks_for_websocket(&self) -> bool {
        matches!(&self.start, Start::Request { method, .. } if method == "GET") && self.says_websocket()
    }

    fn says_websocket(&self) -> bool {
        self.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }
}

/// Why the bytes from an offset on cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The first line is no HTTP/1.1 start line.
    #[error("no request or status line of HTTP/1.1 stands here; look at the bytes of the stream")]
    NoStartLine,
    /// A header line that is none, or that is folded.
    #[error("a header line is malformed; look at the bytes of the stream")]
    BadHeader,
    /// The head does not end.
    #[error("the head is longer than {LONGEST_HEAD} bytes; look at the bytes of the stream")]
    HeadTooLong,
    /// Content-Length and Transfer-Encoding that leave the length open (RFC 9112 §6.3).
    #[error("the length of the body can be understood in two ways; look at its header fields")]
    AmbiguousLength,
    /// A chunk that is none.
    #[error("a chunk of the body is malformed; look at the bytes of the stream")]
    BadChunk,
}

/// What was read of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// The whole messages, in order.
    pub messages: Vec<Message>,
    /// Where they end. What is after it is the start of a message that is cut short, what `error`
    /// is about, or, after a change to WebSocket, frames.
    pub end: usize,
    /// What is wrong at `end`, if anything is.
    pub error: Option<HttpError>,
}

/// Reads messages until the stream ends, cannot be read any further, or becomes a WebSocket.
///
/// `ended` says whether the sender has closed the stream, which is the end of a response body
/// without a length (RFC 9112 §6.3). Requests for a WebSocket end the client's side: what follows
/// them is frames if the server agrees.
pub fn read(side: Side, stream: &[u8], ended: bool) -> Messages {
    let mut read = Messages::default();
    while let Some(rest) = stream.get(read.end..).filter(|rest| !rest.is_empty()) {
        match message(side, rest, ended) {
            Ok(Some((mut message, length))) => {
                message.range = read.end..read.end + length;
                read.end += length;
                let upgrades = message.switches_to_websocket() || message.asks_for_websocket();
                read.messages.push(message);
                if upgrades {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                read.error = Some(error);
                break;
            }
        }
    }
    read
}

/// The message at the start of `bytes` and its length; none when it is cut short.
fn message(side: Side, bytes: &[u8], ended: bool) -> Result<Option<(Message, usize)>, HttpError> {
    let Some((start, headers, head_length)) = head::parse(side, bytes)? else { return Ok(None) };
    let after = bytes.get(head_length..).unwrap_or_default();
    let Some((body, body_length)) = body::read(&start, &headers, after, ended)? else { return Ok(None) };
    let length = head_length + body_length;
    Ok(Some((Message { start, headers, body, range: 0..length }, length)))
}

#[cfg(test)]
mod tests;
