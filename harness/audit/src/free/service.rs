//! Free bytes behind the secrets of the service: signalling, HTTP, logs, the database, and what nodes still held.
//!
//! Invariant: what a listener reads here is what the owner of the bytes held, never what the judge alone knows.

use std::borrow::Cow;

use model::outcome::Listener;

use super::{Free, Piece};
use crate::evidence::{Ears, Evidence, Message, Plaintext};
use crate::http;
use crate::websocket::{self, Content};

pub(super) fn collect(evidence: &Evidence<'_>, free: &mut Free) {
    for message in &evidence.signalling.messages {
        let kind = if message.kind().is_empty() { "unknown" } else { message.kind() };
        free.add(Piece {
            ears: message.ears,
            bytes: message.text.clone().into_bytes(),
            name: Cow::Owned(format!("a signalling message of the type {kind}")),
            packet: Some(message.packet),
            writer: writer(evidence, message),
        });
    }
    for plaintext in &evidence.signalling.plaintexts {
        inside_tls(plaintext, free);
    }
    let service = evidence.keys.service();
    let mut say = |ears: Ears, name: String, bytes: Vec<u8>, writer: &str| {
        let (name, writer) = (Cow::Owned(name), Some(writer.to_owned()));
        free.add(Piece { ears, bytes, name, packet: None, writer });
    };
    for line in &evidence.world.log {
        say(service, format!("the log of {}", line.node), line.text.clone().into(), &line.node);
    }
    for row in &evidence.world.database {
        let name = format!("the table {} of the policy server", row.table);
        for value in row.values.values() {
            say(service, name.clone(), value.clone().into(), "policy-server");
        }
    }
    let harvest = Ears::of(Listener::Harvest);
    for held in &evidence.world.held {
        let bytes = hex::decode(&held.bytes).unwrap_or_else(|_| held.bytes.clone().into());
        say(harvest, format!("what {} still held: {}", held.owner, held.what), bytes, &held.owner);
    }
}

/// Heads and bodies of HTTP, and whatever a WebSocket carries beside signalling. The masks of a client's frames are
/// left out: four bytes that the library draws for each.
fn inside_tls(plaintext: &Plaintext, free: &mut Free) {
    let side = if plaintext.from_client { http::Side::Requests } else { http::Side::Responses };
    let read = http::read(side, &plaintext.data, true);
    let mut say = |name: &'static str, bytes: &[u8]| {
        let (name, bytes) = (Cow::Borrowed(name), bytes.to_vec());
        free.add(Piece { ears: plaintext.ears, bytes, name, packet: None, writer: None });
    };
    let mut upgraded = false;
    for message in &read.messages {
        upgraded |= message.asks_for_websocket() || message.switches_to_websocket();
        let whole = plaintext.data.get(message.range.clone()).unwrap_or_default();
        say(
            "the head of an HTTP message",
            whole.get(..whole.len() - message.body.len().min(whole.len())).unwrap_or(whole),
        );
        say("the body of an HTTP message", &message.body);
    }
    let rest = plaintext.data.get(read.end..).unwrap_or_default();
    if !upgraded {
        say("bytes inside a TLS connection", rest);
        return;
    }
    let sender = if plaintext.from_client { websocket::Sender::Client } else { websocket::Sender::Server };
    let mut end = 0;
    for message in websocket::read(sender, rest).messages {
        end = end.max(message.range.end);
        match message.content {
            // A signalling message, which stands by itself.
            Content::Text(_) => {}
            Content::Binary(bytes) | Content::Ping(bytes) | Content::Pong(bytes) => {
                say("a WebSocket message", &bytes);
            }
            Content::Close(reason) => {
                say("the end of a WebSocket", reason.map(|(_, text)| text).unwrap_or_default().as_bytes());
            }
        }
    }
    say("bytes inside a WebSocket", rest.get(end..).unwrap_or_default());
}

/// The tap of whoever sent the message.
fn writer(evidence: &Evidence<'_>, message: &Message) -> Option<String> {
    if !message.from_client {
        return None;
    }
    let interface = evidence.signalling.interface(message)?;
    evidence.capture.interfaces.get(interface).cloned()
}
