//! The signalling of one call, from and to both devices, over TLS 1.3 and WebSocket.

use std::fmt::Write as _;

use model::{Kind, Role};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::CaptureBuilder;
use super::handshake::{tls_client_hello, tls_server_hello};
use super::seal::TlsWriter;
use super::story::{ALICE, BOB, CALL, CALL_SERVICE, certificate};
use crate::agreement::{KeySchedule, Signalled, commit, x25519, x25519_public};

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

/// The agreement of the story's call, from its fixed secrets.
pub fn agreement() -> (Signalled, KeySchedule) {
    let (secret_caller, secret_callee) = ([0x11; 32], [0x22; 32]);
    let (epk_caller, epk_callee) = (x25519_public(&secret_caller), x25519_public(&secret_callee));
    let nonce_caller = [0x33; 32];
    let signalled = Signalled {
        call_id: CALL,
        caller: "alice@contoso.example".to_owned(),
        caller_tenant: "contoso.example".to_owned(),
        callee: "bob@contoso.example".to_owned(),
        callee_tenant: "contoso.example".to_owned(),
        caller_intent: 1,
        callee_intent: 1,
        offered_suites: vec![1],
        chosen_suite: 1,
        commit: commit(&epk_caller, &nonce_caller),
        epk_callee,
        nonce_callee: [0x44; 32],
        ek_callee: Vec::new(),
        epk_caller,
        nonce_caller,
        ct: Vec::new(),
    };
    let schedule = signalled.key_schedule(&z()).expect("short items");
    (signalled, schedule)
}

/// The shared secret of the story's call.
pub fn z() -> [u8; 32] {
    x25519(&[0x11; 32], &x25519_public(&[0x22; 32]))
}

/// The base keys of the caller's and of the callee's audio that follow from the agreement.
pub fn base_keys() -> [[u8; 16]; 2] {
    [Role::Caller, Role::Callee].map(|sender| agreement().1.base_key(sender, Kind::Audio))
}

/// The code on the screens of the story's call.
pub fn code() -> String {
    agreement().0.security_code().expect("short items").to_string()
}

impl Signals {
    /// Changes the first message of this kind that passes a device's link in the given direction.
    pub fn alter(&mut self, side: usize, from_client: bool, kind: &str, key: &str, value: Value) {
        let wanted =
            |s: &&mut Signal| s.side == side && s.from_client == from_client && s.json["type"] == kind;
        self.signals.iter_mut().find(wanted).expect("the message is there").json[key] = value;
    }

    /// What is said in a call that everything goes well in.
    pub fn of_call(sealed: bool) -> Self {
        let call = hex::encode(CALL);
        let intent = u8::from(sealed);
        let (agreed, schedule) = agreement();
        let (epk, nonce) = if sealed { (agreed.epk_callee, agreed.nonce_callee) } else { ([2; 32], [4; 32]) };
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
                "profile": "frames", "intent": intent, "suites": [1], "commit": hex::encode(agreed.commit)
            }),
        );
        both(BOB, ALICE, json!({ "type": "ringing", "call": call }));
        both(
            BOB,
            ALICE,
            json!({
                "type": "answer", "call": call, "intent": intent, "suite": 1,
                "epk": hex::encode(epk), "nonce": hex::encode(nonce), "ek": ""
            }),
        );
        if sealed {
            both(
                ALICE,
                BOB,
                json!({
                    "type": "reveal", "call": call, "epk": hex::encode(agreed.epk_caller),
                    "nonce": hex::encode(agreed.nonce_caller), "ct": "",
                    "confirmation": hex::encode(schedule.confirmation(Role::Caller))
                }),
            );
            let confirmation = hex::encode(schedule.confirmation(Role::Callee));
            both(BOB, ALICE, json!({ "type": "confirm", "call": call, "confirmation": confirmation }));
        }
        for side in [ALICE, BOB] {
            let node = Sha256::digest(b"certificate of the node");
            say(
                side,
                true,
                json!({ "type": "sdp-offer", "call": call, "sdp": sdp(&Sha256::digest(certificate(side, sealed))) }),
            );
            say(side, false, json!({ "type": "sdp-answer", "call": call, "sdp": sdp(&node) }));
        }
        let back = json!({ "type": "hang-up", "call": call, "reason": "" });
        say(ALICE, true, back.clone());
        say(BOB, false, back);
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
