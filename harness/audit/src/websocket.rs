//! Reads WebSocket messages (RFC 6455) from a byte stream, and tells where each lay.
//!
//! Our signalling negotiates no extension, so a set reserved bit is an error, as is whatever the
//! RFC forbids: the judge must not read a message that the receiver refused.

mod frame;

use std::ops::Range;

use frame::{Frame, Opcode};

/// The most bytes that a message may have.
pub const LONGEST_MESSAGE: usize = 16 * 1024 * 1024;

/// Who sends the stream: a client must mask its frames, a server must not (RFC 6455 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The side that asked for the WebSocket.
    Client,
    /// The side that agreed.
    Server,
}

/// What a message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping and its payload.
    Ping(Vec<u8>),
    /// A pong and its payload.
    Pong(Vec<u8>),
    /// The last message: status and reason where it gives them.
    Close(Option<(u16, String)>),
}

/// One message, unmasked and put together from its fragments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it holds.
    pub content: Content,
    /// Where it lies in the stream, from the first byte of its first frame to the last of its last.
    /// Control messages may lie within.
    pub range: Range<usize>,
}

/// Why the bytes from an offset on cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebSocketError {
    /// A reserved bit is set.
    #[error("a frame has a reserved bit set; connect without extensions")]
    ReservedBit,
    /// An opcode that RFC 6455 does not define.
    #[error("a frame has the opcode {0}, which is reserved; look at the bytes of the stream")]
    UnknownOpcode(u8),
    /// A client's frame without a mask, or a server's with one.
    #[error("a frame is masked by the wrong side or not at all; look at the bytes of the stream")]
    WrongMask,
    /// A length that is not written the shortest way, or with its highest bit set.
    #[error("the length of a frame is not written the shortest way; look at the bytes of the stream")]
    BadLength,
    /// A message longer than is read.
    #[error("a message is longer than {LONGEST_MESSAGE} bytes; look at the bytes of the stream")]
    TooLong,
    /// A control frame in fragments or with more than 125 bytes.
    #[error("a control frame is in fragments or too long; look at the bytes of the stream")]
    BadControl,
    /// A continuation of nothing, or a new message before the last has ended.
    #[error("the fragments of a message do not follow each other; look at the bytes of the stream")]
    BadFragment,
    /// Text that is no UTF-8.
    #[error("a text is no UTF-8; look at the bytes of the stream")]
    NoUtf8,
    /// A close message with one byte.
    #[error("a close message has half a status; look at the bytes of the stream")]
    BadClose,
}

/// What was read of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// The whole messages, in the order in which they end.
    pub messages: Vec<Message>,
    /// Where the whole frames end. What is after it is a frame that is cut short, what `error` is
    /// about, or what follows a close message.
    pub end: usize,
    /// Where the first fragment of a message lies that has not ended.
    pub unfinished: Option<usize>,
    /// What is wrong at `end`, if anything is.
    pub error: Option<WebSocketError>,
}

/// Reads messages until the stream ends, is closed, or cannot be read any further. The stream
/// begins with the first frame, behind the HTTP of the opening handshake.
pub fn read(sender: Sender, stream: &[u8]) -> Messages {
    let mut reading = Reading { read: Messages::default(), fragments: None };
    loop {
        let rest = stream.get(reading.read.end..).unwrap_or_default();
        match Frame::parse(sender, rest).and_then(|frame| reading.take(frame)) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => break,
            Err(error) => {
                reading.read.error = Some(error);
                break;
            }
        }
    }
    reading.read.unfinished = reading.fragments.map(|fragments| fragments.start);
    reading.read
}

struct Reading {
    read: Messages,
    fragments: Option<Fragments>,
}

/// The fragments so far of one message.
struct Fragments {
    is_text: bool,
    payload: Vec<u8>,
    start: usize,
}

enum Progress {
    More,
    Done,
}

impl Reading {
    /// Takes the next frame; none is the end of the stream.
    fn take(&mut self, frame: Option<Frame>) -> Result<Progress, WebSocketError> {
        let Some(frame) = frame else { return Ok(Progress::Done) };
        let range = self.read.end..self.read.end + frame.length;
        let content = match frame.opcode {
            Opcode::Ping => Some((Content::Ping(frame.payload), range.clone())),
            Opcode::Pong => Some((Content::Pong(frame.payload), range.clone())),
            Opcode::Close => Some((close(&frame.payload)?, range.clone())),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => self.data(frame, &range)?,
        };
        self.read.end = range.end;
        let Some((content, range)) = content else { return Ok(Progress::More) };
        let is_last = matches!(content, Content::Close(_));
        self.read.messages.push(Message { content, range });
        Ok(if is_last { Progress::Done } else { Progress::More })
    }

    /// Takes a data frame and returns the message that it ends, if it does.
    fn data(
        &mut self,
        frame: Frame,
        range: &Range<usize>,
    ) -> Result<Option<(Content, Range<usize>)>, WebSocketError> {
        let mut fragments = match (self.fragments.take(), frame.opcode) {
            (Some(fragments), Opcode::Continuation) => fragments,
            (None, Opcode::Text | Opcode::Binary) => {
                let is_text = frame.opcode == Opcode::Text;
                Fragments { is_text, payload: Vec::new(), start: range.start }
            }
            (fragments, _) => {
                self.fragments = fragments;
                return Err(WebSocketError::BadFragment);
            }
        };
        if fragments.payload.len() + frame.payload.len() > LONGEST_MESSAGE {
            self.fragments = Some(fragments);
            return Err(WebSocketError::TooLong);
        }
        fragments.payload.extend_from_slice(&frame.payload);
        if !frame.is_final {
            self.fragments = Some(fragments);
            return Ok(None);
        }
        let content = match fragments.is_text {
            false => Content::Binary(fragments.payload),
            true => Content::Text(String::from_utf8(fragments.payload).map_err(|_| WebSocketError::NoUtf8)?),
        };
        Ok(Some((content, fragments.start..range.end)))
    }
}

fn close(payload: &[u8]) -> Result<Content, WebSocketError> {
    if payload.is_empty() {
        return Ok(Content::Close(None));
    }
    let (status, reason) = payload.split_first_chunk::<2>().ok_or(WebSocketError::BadClose)?;
    let reason = std::str::from_utf8(reason).map_err(|_| WebSocketError::NoUtf8)?;
    Ok(Content::Close(Some((u16::from_be_bytes(*status), reason.to_owned()))))
}

#[cfg(test)]
mod tests;
