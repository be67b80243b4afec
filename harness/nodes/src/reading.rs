//! The work of recording and transcription: a media node reads every frame of a call and tells the recorder.
//!
//! Invariant: what is told was read: put together from packets, and opened where it was sealed. Without keys that
//! were handed over, a sealed frame is told to nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Kind;
use model::release::Feature;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::engine::Incoming;
use crate::packets::Assembler;
use crate::sealing::Opener;
use crate::service_link::{HandedKey, RecorderMessage};

/// A media node's connection to the recorder.
#[derive(Clone)]
pub struct RecorderLink(mpsc::UnboundedSender<String>);

impl RecorderLink {
    /// Sends over `socket` from now on.
    pub fn new(socket: net::WebSocket) -> Self {
        let (outbox, queue) = mpsc::unbounded_channel();
        crate::call_service::carry(socket, queue, |_| true, || {});
        Self(outbox)
    }

    fn tell(&self, message: &RecorderMessage) {
        // A recorder that is gone keeps nothing; the call goes on.
        let _ = self.0.send(message.text());
    }
}

/// The reading of one call.
pub struct Reading {
    call: String,
    recorder: RecorderLink,
    records: bool,
    /// When transcription began.
    transcribes_since: Option<Duration>,
    openers: Vec<Opener>,
    streams: BTreeMap<(String, Kind), Stream>,
}

#[derive(Default)]
struct Stream {
    assembler: Assembler,
    line: Line,
}

/// What was read of one stream in one second.
#[derive(Default)]
struct Line {
    second: u64,
    frames: u32,
    bytes: u64,
    hash: Sha256,
}

impl Reading {
    /// A reading of `call` that tells nothing yet.
    pub fn new(call: &str, recorder: RecorderLink) -> Self {
        Self {
            call: call.to_owned(),
            recorder,
            records: false,
            transcribes_since: None,
            openers: Vec::new(),
            streams: BTreeMap::new(),
        }
    }

    /// Begins the work of a feature at `now`, with the keys of a sealed call where somebody handed them over.
    /// A feature that reads nothing begins nothing.
    pub fn begin(&mut self, feature: &str, now: Duration, keys: &[HandedKey]) {
        // A key that fits no cipher opens nothing.
        self.openers.extend(keys.iter().filter_map(|key| Opener::new(key.id, &key.base_key).ok()));
        match feature.parse() {
            Ok(Feature::Recording) => self.records = true,
            Ok(Feature::Transcription) => self.transcribes_since = self.transcribes_since.or(Some(now)),
            _ => {}
        }
    }

    /// Base keys that were handed over.
    pub fn base_keys(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.openers.iter().map(Opener::base_key)
    }

    /// Reads a packet that came from `from` at `now`, and the frame that it completes.
    pub fn packet(&mut self, now: Duration, from: &str, packet: &Incoming) {
        let Incoming { kind, sequence, timestamp, marker, payload, .. } = packet;
        let stream = self.streams.entry((from.to_owned(), *kind)).or_default();
        let Some(taken) = stream.assembler.take(*kind, *sequence, *timestamp, *marker, payload) else {
            return;
        };
        let frame = match self.openers.is_empty() {
            true => taken,
            false => match self.openers.iter_mut().find_map(|opener| opener.open(&taken).ok()) {
                Some(frame) => frame,
                None => return,
            },
        };
        if self.records {
            self.recorder.tell(&RecorderMessage::Recorded {
                call: self.call.clone(),
                from: from.to_owned(),
                kind: kind.to_string(),
                frame: hex::encode(&frame),
            });
        }
        if let Some(since) = self.transcribes_since {
            let second = now.saturating_sub(since).as_secs();
            if stream.line.second != second {
                let line = std::mem::replace(&mut stream.line, Line { second, ..Line::default() });
                line.told(&self.recorder, &self.call, from, *kind);
            }
            stream.line.reads(&frame);
        }
    }

    /// The call is over: tells the last line of each stream.
    pub fn end(self) {
        for ((from, kind), stream) in self.streams {
            stream.line.told(&self.recorder, &self.call, &from, kind);
        }
    }
}

impl Line {
    fn reads(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.bytes += frame.len() as u64;
        self.hash.update(frame);
    }

    fn told(self, recorder: &RecorderLink, call: &str, from: &str, kind: Kind) {
        if self.frames == 0 {
            return;
        }
        recorder.tell(&RecorderMessage::Transcribed {
            call: call.to_owned(),
            from: from.to_owned(),
            kind: kind.to_string(),
            second: self.second,
            frames: self.frames,
            bytes: self.bytes,
            sha256: hex::encode(self.hash.finalize()),
        });
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::packets::payloads;
    use crate::sealing::Sealer;

    /// A reading and what it tells.
    fn reading() -> (Reading, mpsc::UnboundedReceiver<String>) {
        let (outbox, told) = mpsc::unbounded_channel();
        (Reading::new("c0", RecorderLink(outbox)), told)
    }

    fn told(queue: &mut mpsc::UnboundedReceiver<String>) -> Vec<RecorderMessage> {
        let texts = std::iter::from_fn(|| queue.try_recv().ok());
        texts.map(|text| serde_json::from_str(&text).expect("a message")).collect()
    }

    fn packet(kind: Kind, sequence: u16, payload: Bytes, marker: bool) -> Incoming {
        Incoming { kind, ssrc: 1, marker, payload_type: 96, sequence, timestamp: 7, payload }
    }

    fn audio(sequence: u16, payload: &[u8]) -> Incoming {
        packet(Kind::Audio, sequence, Bytes::copy_from_slice(payload), false)
    }

    #[test]
    fn nothing_is_told_before_a_feature_asks_for_it() {
        let (mut reading, mut queue) = reading();
        reading.begin(Feature::Park.word(), Duration::ZERO, &[]);
        reading.packet(Duration::ZERO, "alice", &audio(0, b"a"));
        reading.end();
        assert_eq!(told(&mut queue), []);
    }

    #[test]
    fn a_recording_has_the_frame_that_its_packets_make() {
        let (mut reading, mut queue) = reading();
        reading.begin(Feature::Recording.word(), Duration::ZERO, &[]);
        let frame = vec![9; 3_000];
        for (n, (payload, marker)) in (0..).zip(payloads(Kind::Video, &frame)) {
            reading.packet(Duration::ZERO, "alice", &packet(Kind::Video, n, payload, marker));
        }
        reading.end();
        let recorded = RecorderMessage::Recorded {
            call: "c0".to_owned(),
            from: "alice".to_owned(),
            kind: "video".to_owned(),
            frame: hex::encode(frame),
        };
        assert_eq!(told(&mut queue), [recorded]);
    }

    #[test]
    fn a_transcript_has_a_line_per_stream_and_second_with_the_hash_of_what_was_read() {
        let (mut reading, mut queue) = reading();
        let start = Duration::from_secs(5);
        reading.begin(Feature::Transcription.word(), start, &[]);
        for (ms, from, payload) in
            [(0, "alice", b"aa"), (10, "bob", b"bb"), (900, "alice", b"cc"), (1_500, "alice", b"dd")]
        {
            reading.packet(start + Duration::from_millis(ms), from, &audio(0, payload));
        }
        reading.end();
        let line = |from: &str, second, frames, read: &[u8]| RecorderMessage::Transcribed {
            call: "c0".to_owned(),
            from: from.to_owned(),
            kind: "audio".to_owned(),
            second,
            frames,
            bytes: read.len() as u64,
            sha256: hex::encode(Sha256::digest(read)),
        };
        let lines = [line("alice", 0, 2, b"aacc"), line("alice", 1, 1, b"dd"), line("bob", 0, 1, b"bb")];
        assert_eq!(told(&mut queue), lines);
    }

    #[test]
    fn a_sealed_frame_is_told_under_a_handed_key_and_under_no_other() {
        let sealed = Sealer::new(0, &[7; 16]).and_then(|mut s| s.seal(b"secret")).expect("sealed");
        for (base_key, frames) in [([7; 16], 1), ([8; 16], 0)] {
            let (mut reading, mut queue) = reading();
            let keys = [HandedKey { id: 0, base_key }];
            reading.begin(Feature::Recording.word(), Duration::ZERO, &keys);
            reading.packet(Duration::ZERO, "caller", &audio(0, &sealed));
            let told = told(&mut queue);
            assert_eq!(told.len(), frames, "{told:?}");
            let opened = |m: &RecorderMessage| matches!(m, RecorderMessage::Recorded { frame, .. } if *frame == hex::encode(b"secret"));
            assert!(told.iter().all(opened), "{told:?}");
        }
    }
}
