//! The recorder: keeps what media nodes have read of calls, beyond their end.
//!
//! Invariant: it holds nothing that did not come over its link.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::identity::Node;
use model::record::Held;
use sha2::{Digest, Sha256};

use crate::journal::held;
use crate::service_link::RecorderMessage;

/// Bytes of frames that are kept per call; of what comes after, the hash is.
const KEPT_BYTES: usize = 80_000;

/// A running recorder; its copies are one.
#[derive(Clone, Default)]
pub struct Recorder {
    shelves: Arc<Mutex<BTreeMap<String, Shelf>>>,
}

/// What is kept of one call.
#[derive(Default)]
struct Shelf {
    /// Per frame its length as u32 big endian, then the frame.
    frames: Vec<u8>,
    /// SHA-256 of each frame for which there was no room.
    hashes: Vec<u8>,
    /// One message per line.
    transcript: String,
}

impl Recorder {
    /// Takes one media node's connection; what is no message of ours is ignored.
    pub fn serve(&self, socket: net::WebSocket) {
        let recorder = self.clone();
        let (outbox, queue) = tokio::sync::mpsc::unbounded_channel();
        let deliver = move |text: String| {
            recorder.keep(&text);
            // The recorder has nothing to say, and its end of the connection stays open.
            !outbox.is_closed()
        };
        crate::call_service::carry(socket, queue, deliver, || {});
    }

    fn keep(&self, text: &str) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        match serde_json::from_str(text) {
            Ok(RecorderMessage::Recorded { call, frame, .. }) => {
                let Ok(frame) = hex::decode(frame) else { return };
                let Ok(length) = u32::try_from(frame.len()) else { return };
                let shelf = shelves.entry(call).or_default();
                if shelf.hashes.is_empty() && shelf.frames.len() + 4 + frame.len() <= KEPT_BYTES {
                    shelf.frames.extend(length.to_be_bytes());
                    shelf.frames.extend(frame);
                } else {
                    shelf.hashes.extend(Sha256::digest(&frame));
                }
            }
            Ok(RecorderMessage::Transcribed { ref call, .. }) => {
                let shelf = shelves.entry(call.clone()).or_default();
                shelf.transcript.push_str(text);
                shelf.transcript.push('\n');
            }
            Err(_) => {}
        }
    }

    /// What is kept, for the record: `recording of call …` is the frames in the order in which they came, each behind
    /// its length as u32 big endian; `rest of the recording of call …` the SHA-256 of each further frame;
    /// `transcript of call …` the lines.
    pub fn held(&self) -> Vec<Held> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = shelves.iter().flat_map(|(call, shelf)| {
            [
                (format!("recording of call {call}"), shelf.frames.as_slice()),
                (format!("rest of the recording of call {call}"), shelf.hashes.as_slice()),
                (format!("transcript of call {call}"), shelf.transcript.as_bytes()),
            ]
        });
        let held = |(what, bytes): (String, &[u8])| held(Node::Recorder.word(), what, bytes);
        parts.filter(|(_, bytes)| !bytes.is_empty()).map(held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(frame: &[u8]) -> String {
        let [call, from, kind] = ["c0", "alice", "audio"].map(str::to_owned);
        RecorderMessage::Recorded { call, from, kind, frame: hex::encode(frame) }.text()
    }

    #[test]
    fn frames_are_kept_whole_and_in_order() {
        let recorder = Recorder::default();
        recorder.keep(&recorded(b"one"));
        recorder.keep(&recorded(b"three"));
        let [held] = &recorder.held()[..] else { panic!("one recording") };
        assert_eq!((held.owner.as_str(), held.what.as_str()), ("recorder", "recording of call c0"));
        assert_eq!(hex::decode(&held.bytes).expect("hex"), b"\0\0\0\x03one\0\0\0\x05three");
    }

    #[test]
    fn of_what_finds_no_room_the_hash_is_kept() {
        let recorder = Recorder::default();
        recorder.keep(&recorded(&[1; KEPT_BYTES - 4]));
        recorder.keep(&recorded(b"late"));
        let held = recorder.held();
        let [first, rest] = &held[..] else { panic!("two parts, not {}", held.len()) };
        assert_eq!(first.bytes.len(), 2 * KEPT_BYTES);
        assert_eq!(rest.bytes, hex::encode(Sha256::digest(b"late")));
    }

    #[test]
    fn what_is_no_message_is_not_kept() {
        let recorder = Recorder::default();
        for text in ["", "{}", r#"{"type":"recorded","call":"c0"}"#, r#"{"type":"transcribed"}"#] {
            recorder.keep(text);
        }
        recorder.keep(&recorded(b"x").replace("78", "7"));
        assert_eq!(recorder.held(), []);
    }
}
