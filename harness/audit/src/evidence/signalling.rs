//! Signalling as the call service could read it: TLS, HTTP and WebSocket taken off with the service's secrets.
//!
//! Invariant: a message keeps the packets that carried it, at the link of the device that sent or received it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

use serde_json::Value;

use super::ears::Ears;
use super::keys::Keys;
use crate::capture::Capture;
use crate::capture::connection::{Bytes, Connection, connections};
use crate::dissect::sdp::Description;
use crate::key_file::TrafficLabel;
use crate::{http, tls13, websocket};

/// One signalling message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Index of the connection.
    pub connection: usize,
    /// Whether a client sent it.
    pub from_client: bool,
    /// Index in the capture of the packet that completed it.
    pub packet: usize,
    /// Nanoseconds from 1970 of that packet.
    pub at_ns: u64,
    /// Who can read it.
    pub ears: Ears,
    /// The text as it stood.
    pub text: String,
    /// The same, as JSON; null where it is none.
    pub json: Value,
}

/// One HTTP message.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Index of the connection.
    pub connection: usize,
    /// Index in the capture of the packet that completed it.
    pub packet: usize,
    /// The message.
    pub message: http::Message,
}

/// What one side of a connection sent inside TLS.
#[derive(Clone, Debug, PartialEq)]
pub struct Plaintext {
    /// Index of the connection.
    pub connection: usize,
    /// Whether a client sent it.
    pub from_client: bool,
    /// Who can read it.
    pub ears: Ears,
    /// Application data.
    pub data: Vec<u8>,
}

/// All signalling of a world.
#[derive(Debug, Default)]
pub struct Signalling {
    /// Connections that carry TLS, each once, as the client's link saw it.
    pub connections: Vec<Connection>,
    /// Messages in the order of completion.
    pub messages: Vec<Message>,
    /// HTTP messages in the order of completion, the opening of each WebSocket included.
    pub exchanges: Vec<Exchange>,
    /// What was inside TLS.
    pub plaintexts: Vec<Plaintext>,
    /// Indices of connections that could not be read to their end, with the reason.
    pub unreadable: Vec<(usize, String)>,
    codecs: BTreeMap<u8, Option<String>>,
}

impl Message {
    /// The value of key `type`.
    pub fn kind(&self) -> &str {
        self.text_of("type")
    }

    /// A text field, empty where there is none.
    pub fn text_of(&self, key: &str) -> &str {
        self.json.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Signalling {
    /// Reads every connection of the capture that carries TLS.
    pub fn read(capture: &Capture, keys: &Keys) -> Self {
        let mut signalling = Self::default();
        let mut links: BTreeMap<(SocketAddr, SocketAddr), usize> = BTreeMap::new();
        for connection in connections(capture) {
            let link = links.entry((connection.client, connection.server)).or_insert(connection.interface);
            if *link == connection.interface && !connection.to_server.bytes.is_empty() {
                signalling.connections.push(connection);
            }
        }
        for index in 0..signalling.connections.len() {
            if let Err(why) = signalling.open(index, capture, keys) {
                signalling.unreadable.push((index, why));
            }
        }
        signalling.messages.sort_by_key(|message| message.packet);
        signalling.exchanges.sort_by_key(|exchange| exchange.packet);
        signalling.read_codecs();
        signalling
    }

    fn open(&mut self, index: usize, capture: &Capture, keys: &Keys) -> Result<(), String> {
        let Some(connection) = self.connections.get(index) else { return Ok(()) };
        let (up, down) = (&connection.to_server, &connection.to_client);
        if up.gap || down.gap {
            return Err("bytes are missing in between".to_owned());
        }
        if tls13::client_random(&up.bytes).is_some() && down.bytes.is_empty() {
            // Nobody answered, so there is nothing inside.
            return Ok(());
        }
        let is_http = || !http::read(http::Side::Requests, &up.bytes, false).messages.is_empty();
        if tls13::client_random(&up.bytes).is_none() && is_http() {
            for (from_client, bytes) in [(true, up.clone()), (false, down.clone())] {
                let direction = tls13::Direction::in_the_clear(&bytes.bytes);
                self.take(
                    OpenSide { connection: index, from_client, bytes, direction, ears: Ears::ALL },
                    capture,
                );
            }
            return Ok(());
        }
        let random = tls13::client_random(&up.bytes).ok_or_else(|| "it is no TLS".to_owned())?;
        let (secrets, ears) = secrets(keys, &random);
        let opened = tls13::open(&up.bytes, &down.bytes, &secrets).map_err(|why| why.to_string())?;
        let mut shut = 0;
        let sides = [(true, up.clone(), opened.client), (false, down.clone(), opened.server)];
        for (from_client, bytes, direction) in sides {
            shut += direction.unopened.len();
            let side = OpenSide { connection: index, from_client, bytes, direction, ears };
            self.take(side, capture);
        }
        if shut > 0 { Err(format!("{shut} of its records open under no secret")) } else { Ok(()) }
    }

    fn take(&mut self, side: OpenSide, capture: &Capture) {
        let data = &side.direction.data;
        let kind = if side.from_client { http::Side::Requests } else { http::Side::Responses };
        let read = http::read(kind, data, side.direction.closed);
        let mut upgraded = false;
        for message in read.messages {
            upgraded |= message.asks_for_websocket() || message.switches_to_websocket();
            let packet = side.packet_of(&message.range);
            self.exchanges.push(Exchange { connection: side.connection, packet, message });
        }
        if upgraded {
            let sender = if side.from_client { websocket::Sender::Client } else { websocket::Sender::Server };
            let frames = websocket::read(sender, data.get(read.end..).unwrap_or_default());
            for message in frames.messages {
                let range = message.range.start + read.end..message.range.end + read.end;
                let websocket::Content::Text(text) = message.content else { continue };
                let packet = side.packet_of(&range);
                self.messages.push(Message {
                    connection: side.connection,
                    from_client: side.from_client,
                    packet,
                    at_ns: capture.packets.get(packet).map_or(0, |p| p.at_ns),
                    ears: side.ears,
                    json: serde_json::from_str(&text).unwrap_or(Value::Null),
                    text,
                });
            }
        }
        let Plaintext { connection, from_client, ears, data } = side.into_plaintext();
        self.plaintexts.push(Plaintext { connection, from_client, ears, data });
    }

    fn read_codecs(&mut self) {
        for message in &self.messages {
            for (payload_type, codec) in Description::parse(message.text_of("sdp")).codecs {
                // A payload type that two descriptions give to different codecs says nothing.
                let known = self.codecs.entry(payload_type).or_insert_with(|| Some(codec.clone()));
                if known.as_ref() != Some(&codec) {
                    *known = None;
                }
            }
        }
    }

    /// The codec of a payload type, in lower case, where all descriptions agree.
    pub fn codec(&self, payload_type: u8) -> Option<&str> {
        self.codecs.get(&payload_type)?.as_deref()
    }

    /// Messages of one call, in the order of completion.
    pub fn of_call<'a>(&'a self, call: &'a str) -> impl Iterator<Item = &'a Message> {
        self.messages.iter().filter(move |message| message.text_of("call") == call)
    }

    /// The index of the interface at which `message` was read: the client's link.
    pub fn interface(&self, message: &Message) -> Option<usize> {
        self.connections.get(message.connection).map(|connection| connection.interface)
    }
}

/// One side of a connection with TLS taken off.
struct OpenSide {
    connection: usize,
    from_client: bool,
    bytes: Bytes,
    direction: tls13::Direction,
    ears: Ears,
}

impl OpenSide {
    /// Index of the packet that completed the application data in `range`.
    fn packet_of(&self, range: &Range<usize>) -> usize {
        let wire = self.direction.wire_of(range.clone());
        wire.and_then(|wire| self.bytes.packet_at(wire.end.saturating_sub(1))).unwrap_or_default()
    }

    fn into_plaintext(self) -> Plaintext {
        Plaintext {
            connection: self.connection,
            from_client: self.from_client,
            ears: self.ears,
            data: self.direction.data,
        }
    }
}

/// The secrets of one connection, and who holds them all.
fn secrets(keys: &Keys, random: &[u8; 32]) -> (tls13::Secrets, Ears) {
    let mut ears = Ears::ALL;
    let mut take = |label| {
        keys.traffic(random, label).map(|(secret, holders)| {
            ears = ears & holders;
            secret.to_vec()
        })
    };
    let secrets = tls13::Secrets {
        client_early: take(TrafficLabel::ClientEarly),
        client_handshake: take(TrafficLabel::ClientHandshake),
        server_handshake: take(TrafficLabel::ServerHandshake),
        client_application: take(TrafficLabel::ClientApplication),
        server_application: take(TrafficLabel::ServerApplication),
    };
    let ears = if secrets.is_empty() { Ears::NONE } else { ears };
    (secrets, ears)
}
