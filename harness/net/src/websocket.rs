//! WebSocket above any stream: text messages, HTTP/1.1, no compression.
//!
//! Invariant: one text is one message; pings are answered by whoever receives, and any other kind of message is an
//! error of the peer.

use std::future::poll_fn;
use std::io;
use std::task::Poll;

use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};

use crate::network::Stream;

/// A longer message is an error of the peer.
const LONGEST_MESSAGE: usize = 1024 * 1024;

/// Bytes that are made ready for each read: the library fills them with zero bytes beforehand, its 128 KiB for every
/// message of a few hundred bytes.
const READ_BUFFER: usize = 4 * 1024;

type Inner = WebSocketStream<Box<dyn Stream>>;

/// An open WebSocket.
pub struct WebSocket(Inner);

/// The half that sends.
pub struct WebSocketSender(SplitSink<Inner, Message>);

/// The half that receives. Pings are answered only while it is polled.
pub struct WebSocketReceiver(SplitStream<Inner>);

/// Asks for a WebSocket at `path` of the host `name`.
///
/// # Errors
/// When the stream breaks or the server refuses.
pub async fn connect_websocket(name: &str, path: &str, stream: Box<dyn Stream>) -> io::Result<WebSocket> {
    // The scheme tells the library what to put around the stream: nothing, it may be TLS already.
    let url = format!("ws://{name}{path}");
    let opened = tokio_tungstenite::client_async_with_config(url, stream, Some(config())).await;
    opened.map(|(socket, _)| WebSocket(socket)).map_err(io_error)
}

/// Answers a request for a WebSocket at `path`; one for another path gets 404.
///
/// # Errors
/// When the stream breaks or the client asks for something else.
pub async fn accept_websocket(path: &str, stream: Box<dyn Stream>) -> io::Result<WebSocket> {
    #[expect(clippy::result_large_err, reason = "the library wants the whole response")]
    let check = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        if request.uri().path() == path {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(Some(format!("nothing at {}", request.uri().path())));
        *refusal.status_mut() = StatusCode::NOT_FOUND;
        Err(refusal)
    };
    let opened = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config())).await;
    opened.map(WebSocket).map_err(io_error)
}

impl WebSocket {
    /// Sends one text message.
    ///
    /// # Errors
    /// When the connection is closed or breaks.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.0.send(Message::text(text)).await.map_err(io_error)
    }

    /// Receives the next text message; none when the peer has closed or hung up.
    ///
    /// # Errors
    /// When the connection breaks or the peer sends something that is no text message.
    pub async fn recv(&mut self) -> io::Result<Option<String>> {
        receive(&mut self.0).await
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn close(&mut self) -> io::Result<()> {
        self.0.close(None).await.or_else(closed).map_err(io_error)
    }

    /// Splits into halves, for a task each.
    pub fn split(self) -> (WebSocketSender, WebSocketReceiver) {
        let (sender, receiver) = self.0.split();
        (WebSocketSender(sender), WebSocketReceiver(receiver))
    }
}

impl WebSocketSender {
    /// Sends one text message.
    ///
    /// # Errors
    /// When the connection is closed or breaks.
    pub async fn send(&mut self, text: &str) -> io::Result<()> {
        self.0.send(Message::text(text)).await.map_err(io_error)
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn close(&mut self) -> io::Result<()> {
        self.0.close().await.or_else(closed).map_err(io_error)
    }
}

impl WebSocketReceiver {
    /// Receives the next text message; none when the peer has closed or hung up.
    ///
    /// # Errors
    /// When the connection breaks or the peer sends something that is no text message.
    pub async fn recv(&mut self) -> io::Result<Option<String>> {
        receive(&mut self.0).await
    }
}

async fn receive<S>(messages: &mut S) -> io::Result<Option<String>>
where
    S: futures::Stream<Item = Result<Message, Error>> + Unpin,
{
    loop {
        match messages.next().await {
            Some(Ok(Message::Text(text))) => return Ok(Some(text.to_string())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            None => return Ok(None),
            Some(Ok(Message::Close(_))) => {
                // The library sends its own goodbye when it is asked for the next message.
                poll_fn(|cx| {
                    let _ = messages.poll_next_unpin(cx);
                    Poll::Ready(())
                })
                .await;
                return Ok(None);
            }
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the peer sent a binary message; send text",
                ));
            }
            Some(Err(error)) => return hung_up(error),
        }
    }
}

/// Whoever drops a stream says no goodbye, neither in WebSocket nor in TLS, and breaks it where something is unread:
/// that is an end like another.
fn hung_up(error: Error) -> io::Result<Option<String>> {
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ok(None),
        Error::Io(error)
            if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) =>
        {
            Ok(None)
        }
        error => Err(io_error(error)),
    }
}

/// Closing what is closed is done.
fn closed(error: Error) -> Result<(), Error> {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => Ok(()),
        error => Err(error),
    }
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::NotConnected.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

fn config() -> WebSocketConfig {
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    config.max_message_size(Some(LONGEST_MESSAGE)).max_frame_size(Some(LONGEST_MESSAGE))
}

#[cfg(test)]
mod tests;
