//! The signalling of one call, from and to both devices, over TLS 1.3 and WebSocket.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::CaptureBuilder;
use super::handshake::{tls_client_hello, tls_server_hello};
use super::seal::TlsWriter;
use super::story::{ALICE, BOB, CALL, CALL_SERVICE, certificate};

/// A message and whose connection carries it in which direction.
pub struct Signal {
    /// The device's interface.
    pub side: usize,
    /// Whether the device sends it.
    pub from_client: bool,
    /// The message.
    pub json: Value,
}

/// All messages in their order.
pub struct Signals {
    /// The messages.
    pub signals: Vec<Signal>,
}

/// The code on the screens of a sealed call.
pub fn code(_: bool) -> String {
    "00000 00000 00000 00000".to_owned()
}

impl Signals {
    /// What is said in a call that everything goes well in.
    pub fn of_call(sealed: bool) -> Self {
        let call = hex::encode(CALL);
        let intent = u8::from(sealed);
        let mut signals = Vec::new();
        let mut say = |side, from_client, json| signals.push(Signal { side, from_client, json });
        let mut both = |from: usize, to: usize, json: Value| {
            say(from, true, json.clone());
            say(to, false, json);
        };
        let (alice, bob) = ("alice@contoso.example", "bob@contoso.example");
        both(
            ALICE,
            BOB,
            json!({
                "type": "offer", "call": call, "from": alice, "to": [bob], "media": ["audio"], "kind": "unscheduled",
                "profile": "frames", "intent": intent, "suites": [1], "commit": hex::encode([1; 32])
            }),
        );
        both(BOB, ALICE, json!({ "type": "ringing", "call": call }));
        both(
            BOB,
            ALICE,
            json!({
                "type": "answer", "call": call, "intent": intent, "suite": 1,
                "epk": hex::encode([2 + intent; 32]), "nonce": hex::encode([4 + intent; 32]), "ek": ""
            }),
        );
        for side in [ALICE, BOB] {
            let node = Sha256::digest(b"certificate of the node");
            say(
                side,
                true,
                json!({ "type": "sdp-offer", "call": call, "sdp": sdp(&Sha256::digest(certificate(side, sealed))) }),
            );
            say(side, false, json!({ "type": "sdp-answer", "call": call, "sdp": sdp(&node) }));
        }
        Self { signals }
    }

    /// Lines for the service's key file.
    pub fn key_lines(&self) -> String {
        let mut lines = String::new();
        for side in [ALICE, BOB] {
            for (label, from_client) in [("CLIENT", true), ("SERVER", false)] {
                let (random, secret) = (hex::encode(random(side)), hex::encode(secret(side, from_client)));
                writeln!(lines, "{label}_TRAFFIC_SECRET_0 {random} {secret}").expect("a line");
            }
        }
        lines
    }

    /// Writes both connections, at the devices' links and at the service's.
    pub fn write(&self, builder: &mut CaptureBuilder, addresses: &[&str; 4]) {
        for side in [ALICE, BOB] {
            let client = addresses[side].replace("5000", "40000");
            let ends = (client.as_str(), addresses[CALL_SERVICE]);
            let mut wire = Wire { builder, side, ends, sent: [1_000, 2_000], at_ns: 10_000_000 };
            wire.send(true, &[]);
            wire.send(false, &[]);
            wire.send(true, &tls_client_hello(random(side)));
            wire.send(false, &tls_server_hello());
            let mut writers = [TlsWriter::new(secret(side, true)), TlsWriter::new(secret(side, false))];
            let upgrade = "GET /v1 HTTP/1.1\r\nHost: call-service\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
            wire.send(true, &writers[0].record(upgrade.as_bytes()));
            let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            wire.send(false, &writers[1].record(switch.as_bytes()));
            for signal in self.signals.iter().filter(|signal| signal.side == side) {
                let writer = if signal.from_client { &mut writers[0] } else { &mut writers[1] };
                let frame = websocket(&signal.json.to_string(), signal.from_client);
                wire.send(signal.from_client, &writer.record(&frame));
            }
        }
    }
}

struct Wire<'a> {
    builder: &'a mut CaptureBuilder,
    side: usize,
    ends: (&'a str, &'a str),
    sent: [u32; 2],
    at_ns: u64,
}

impl Wire<'_> {
    fn send(&mut self, from_client: bool, bytes: &[u8]) {
        let ends = if from_client { self.ends } else { (self.ends.1, self.ends.0) };
        let sequence = &mut self.sent[usize::from(!from_client)];
        let side = u32::try_from(self.side).expect("small");
        let service = u32::try_from(CALL_SERVICE).expect("small");
        let taps = if from_client { [side, service] } else { [service, side] };
        for tap in taps {
            self.at_ns += 1_000;
            self.builder.tcp(tap, self.at_ns, ends, *sequence, bytes);
        }
        *sequence += u32::try_from(bytes.len()).expect("short").max(1);
    }
}

fn sdp(fingerprint: &[u8]) -> String {
    let pairs: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    format!(
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=fingerprint:sha-256 {}\r\n",
        pairs.join(":")
    )
}

/// A text message in one frame (RFC 6455 §5.2).
fn websocket(text: &str, masked: bool) -> Vec<u8> {
    let mask_bit = if masked { 0x80 } else { 0 };
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(mask_bit | u8::try_from(length).expect("short")),
        length => {
            frame.push(mask_bit | 126);
            frame.extend(u16::try_from(length).expect("short").to_be_bytes());
        }
    }
    if masked {
        frame.extend([0; 4]);
    }
    frame.extend(text.bytes());
    frame
}

fn random(side: usize) -> [u8; 32] {
    [u8::try_from(side).expect("small") + 0xE0; 32]
}

fn secret(side: usize, from_client: bool) -> [u8; 32] {
    [u8::try_from(side).expect("small") * 2 + u8::from(from_client) + 0x90; 32]
}
