//! Sending and playing frames, and the ledger of both.

use std::collections::BTreeMap;
use std::time::Duration;

use model::outcome::Reason;
use model::record::DroppedBy;
use model::{Direction, Kind};
use net::Sleeper;
use tokio::sync::oneshot;

use super::{Body, Input};
use crate::clip;
use crate::engine::{Incoming, Outgoing};
use crate::entropy::Entropy;
use crate::packets::{Assembler, clock_rate, payloads};
use crate::sealing::{Opener, Sealer};

/// So many frames of one kind in a row that do not open end a sealed call.
const UNSEALED_IN_A_ROW: u32 = 25;

/// One kind of media of one call at one device.
pub(super) struct Media {
    sequence: u16,
    timestamp: u32,
    sent: u32,
    played: u32,
    refused_in_a_row: u32,
    /// By SSRC: in a call of several each of the others has streams of their own.
    assemblers: BTreeMap<u32, Assembler>,
    sealer: Option<Sealer>,
    opener: Option<Opener>,
}

impl Media {
    pub(super) fn new(entropy: &Entropy) -> Self {
        let [a, b, c, d, e, f] = entropy.array::<6>();
        Self {
            sequence: u16::from_be_bytes([a, b]),
            timestamp: u32::from_be_bytes([c, d, e, f]),
            sent: 0,
            played: 0,
            refused_in_a_row: 0,
            assemblers: BTreeMap::new(),
            sealer: None,
            opener: None,
        }
    }

    pub(super) fn seal_with(&mut self, sealer: Sealer, opener: Opener) {
        (self.sealer, self.opener) = (Some(sealer), Some(opener));
    }

    fn next_packet(&mut self, kind: Kind, marker: bool, payload: bytes::Bytes) -> Outgoing {
        let (sequence, timestamp) = (self.sequence, self.timestamp);
        self.sequence = sequence.wrapping_add(1);
        Outgoing { kind, marker, sequence, timestamp, payload }
    }

    fn end_frame(&mut self, kind: Kind) {
        self.timestamp = self.timestamp.wrapping_add(clock_rate(kind) / kind.frames_per_second());
        self.sent += 1;
    }

    /// The keys that have not been erased, each with what it does.
    pub(super) fn base_keys(&self) -> impl Iterator<Item = (&'static str, [u8; 16])> {
        let seals = self.sealer.iter().map(|sealer| ("seals", *sealer.base_key()));
        seals.chain(self.opener.iter().map(|opener| ("opens", *opener.base_key())))
    }

    /// The keys go at hang-up and on any failure.
    pub(super) fn erase(&mut self) {
        (self.sealer, self.opener) = (None, None);
    }
}

impl Body {
    /// Starts one clock per kind; each frame is made when its time has come.
    pub(super) fn talk(&mut self, call: &str, time: Duration, done: oneshot::Sender<()>) {
        let Some(state) = self.calls.get(call).filter(|c| c.open_to_media()) else {
            let _ = done.send(());
            return;
        };
        let start = self.setup.net.now();
        let mut waiting = Vec::new();
        for kind in state.media.clone() {
            let (net, inputs, call) = (self.setup.net.clone(), self.inputs.clone(), call.to_owned());
            let (last, finished) = oneshot::channel();
            waiting.push(finished);
            let per_second = kind.frames_per_second();
            let frames = u32::try_from(time.as_millis()).unwrap_or(u32::MAX) / 1_000 * per_second
                + u32::try_from(time.as_millis() % 1_000).unwrap_or(0) * per_second / 1_000;
            tokio::spawn(async move {
                let mut last = Some(last);
                for n in 0..frames {
                    net.sleep_until(start + Duration::from_secs(1) * n / per_second, Sleeper::Application)
                        .await;
                    let last = if n + 1 == frames { last.take() } else { None };
                    if inputs.send(Input::Tick { call: call.clone(), kind, last }).is_err() {
                        return;
                    }
                }
            });
        }
        tokio::spawn(async move {
            for finished in waiting {
                let _ = finished.await;
            }
            let _ = done.send(());
        });
    }

    pub(super) async fn tick(&mut self, call: &str, kind: Kind, last: Option<oneshot::Sender<()>>) {
        self.send_frame(call, kind).await;
        if let Some(last) = last {
            let _ = last.send(());
        }
    }

    async fn send_frame(&mut self, call: &str, kind: Kind) {
        let (journal, device) = (self.setup.journal.clone(), self.setup.device.clone());
        let Some(state) = self.calls.get_mut(call).filter(|c| c.open_to_media()) else { return };
        let seals = state.seals();
        let role = state.role;
        let id = state.id;
        let (Some(stream), Some(peer)) = (state.streams.get_mut(&kind), &state.peer) else { return };
        let frame = clip::frame(&id, role, kind, stream.sent);
        let sealed = if seals && !self.deviation.leaves_open(kind, stream.sent) {
            // Without a seal no frame leaves: a sealer that is gone or refuses sends nothing.
            let Some(sealed) = stream.sealer.as_mut().and_then(|sealer| sealer.seal(&frame).ok()) else {
                return;
            };
            sealed
        } else {
            frame.clone()
        };
        journal.frame(&device, call, Direction::Sent, kind, stream.sent, &frame);
        let mut refused = None;
        for (payload, marker) in payloads(kind, &sealed) {
            let packet = stream.next_packet(kind, marker, payload);
            refused = refused.or(peer.send(packet).await.err());
        }
        stream.end_frame(kind);
        if let Some(error) = refused {
            self.remark(&error.to_string());
        }
    }

    /// What a flawed client sends when the other description has arrived, before there is a handshake.
    pub(super) fn send_early(&mut self, call: &str, description: &str) {
        let (journal, device) = (self.setup.journal.clone(), self.setup.device.clone());
        let Some(state) = self.calls.get_mut(call).filter(|call| call.sealed()) else { return };
        let (id, role) = (state.id, state.role);
        let (Some(stream), Some(peer)) = (state.streams.get_mut(&Kind::Audio), &state.peer) else { return };
        for _ in 0..self.deviation.frames_before_handshake() {
            let frame = clip::frame(&id, role, Kind::Audio, stream.sent);
            let packet = stream.next_packet(Kind::Audio, false, frame.clone().into());
            if peer.send_bare(description, &packet).is_ok() {
                journal.frame(&device, call, Direction::Sent, Kind::Audio, stream.sent, &frame);
            }
            stream.end_frame(Kind::Audio);
        }
    }

    pub(super) async fn packet(&mut self, call: &str, packet: &Incoming) {
        let (journal, device) = (self.setup.journal.clone(), self.setup.device.clone());
        let tap = self.setup.link.tap().to_owned();
        let Some(state) = self.calls.get_mut(call) else { return };
        let (open, seals) = (state.open_to_media(), state.seals());
        if packet.payload.is_empty() && seals && self.deviation.ends_on_empty_payload() {
            return self.leave(call, Some(Reason::UnsealedFrame)).await;
        }
        let Some(stream) = state.streams.get_mut(&packet.kind) else { return };
        let taken = stream.assemblers.entry(packet.ssrc).or_default().take(
            packet.kind,
            packet.sequence,
            packet.timestamp,
            packet.marker,
            &packet.payload,
        );
        let Some(sealed) = taken else { return };
        let refuse = |reason| journal.dropped(DroppedBy::Device, "", &tap, &sealed, reason);
        if !open {
            return refuse("the device may not play yet, or no more");
        }
        let frame = if seals && !self.deviation.plays_sealed() {
            match stream.opener.as_mut().map(|opener| opener.open(&sealed)) {
                Some(Ok(frame)) => frame,
                _ if self.deviation.plays_open(packet.kind) => sealed.clone(),
                other => {
                    let replayed = matches!(other, Some(Err(crate::sealing::SealError::Replayed)));
                    refuse(if replayed { "the frame was opened before" } else { "the frame does not open" });
                    stream.refused_in_a_row += u32::from(!replayed);
                    if stream.refused_in_a_row >= UNSEALED_IN_A_ROW {
                        self.leave(call, Some(Reason::UnsealedFrame)).await;
                    }
                    return;
                }
            }
        } else {
            sealed.clone()
        };
        stream.refused_in_a_row = 0;
        journal.frame(&device, call, Direction::Received, packet.kind, stream.played, &frame);
        stream.played += 1;
    }
}

/// The SSRC of each kind of a device in one call.
pub(super) fn ssrcs(entropy: &Entropy, media: &[Kind]) -> Vec<crate::engine::TrackSetup> {
    let track = |kind: &Kind| {
        let ssrc = u32::from_be_bytes(entropy.array()).max(1);
        crate::engine::TrackSetup { kind: *kind, ssrc }
    };
    media.iter().map(track).collect()
}
