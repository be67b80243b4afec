//! One leg of an ordinary call: the connection with one device, and a set of streams for each of the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Kind;

use super::Arrival;
use crate::bridge::Ground;
use crate::engine::{EngineError, Incoming, Outgoing, Peer, PeerSetup, PeerState, TrackSetup};
use crate::entropy::Entropy;

/// The hop between the media processor and one device.
pub(super) struct Leg {
    /// The name of the device's access link.
    pub(super) name: String,
    peer: Peer,
    media: Vec<Kind>,
    entropy: Entropy,
    /// The streams on which the device hears each other leg, by the name of that leg; none is ever used for another.
    streams: BTreeMap<String, Stream>,
    /// Whether descriptions have gone out at all.
    described: bool,
    /// Whether the device owes an answer to an offer.
    waiting: bool,
}

/// The streams that carry one other leg.
struct Stream {
    /// The engine's name of the source: empty for the streams that the connection began with.
    source: String,
    /// Whether the device has been told of them.
    known: bool,
}

impl Leg {
    /// Answers a device's offer.
    ///
    /// # Errors
    /// When the engine refuses, or the offer is no description.
    pub(super) async fn answering(
        ground: &Ground,
        call: &str,
        name: String,
        media: &[Kind],
        offer: &str,
        arrivals: impl Fn(Arrival) -> bool + Send + 'static,
    ) -> Result<(Self, String), EngineError> {
        let mut leg = Self::inviting(ground, call, name, media, arrivals).await?;
        let answer = leg.peer.answer(offer).await?;
        leg.described = true;
        Ok((leg, answer))
    }

    /// A leg whose device has still to be offered to.
    ///
    /// # Errors
    /// When the engine refuses.
    pub(super) async fn inviting(
        ground: &Ground,
        call: &str,
        name: String,
        media: &[Kind],
        arrivals: impl Fn(Arrival) -> bool + Send + 'static,
    ) -> Result<Self, EngineError> {
        let entropy = ground.entropy.child(call).child(&name);
        let (peer, mut incoming) = Peer::new(PeerSetup {
            net: ground.net.clone(),
            link: ground.link.clone(),
            keys: ground.keys.clone(),
            tracks: tracks(&entropy, media),
            entropy: Arc::new(entropy.child("engine")),
            checks_fingerprint: true,
            relay: None,
        })
        .await?;
        let (call, leg) = (call.to_owned(), name.clone());
        tokio::spawn(async move {
            while let Some(packet) = incoming.recv().await {
                if !arrivals(Arrival { call: call.clone(), leg: leg.clone(), packet }) {
                    break;
                }
            }
        });
        let media = media.to_vec();
        let streams = BTreeMap::new();
        Ok(Self { name, peer, media, entropy, streams, described: false, waiting: false })
    }

    /// Makes streams for those of `sources` that the device does not hear yet; gives the offer that tells it so. While
    /// the device owes an answer nothing is done: its answer leads here again.
    ///
    /// # Errors
    /// When the engine refuses.
    pub(super) async fn introduce(&mut self, sources: &[String]) -> Result<Option<String>, EngineError> {
        if self.waiting {
            return Ok(None);
        }
        let mut untold = !self.described;
        for name in sources.iter().filter(|name| **name != self.name) {
            if self.streams.contains_key(name) {
                continue;
            }
            let first = self.streams.is_empty();
            let source = if first { String::new() } else { name.clone() };
            if !first {
                self.peer.add(&source, &tracks(&self.entropy, &self.media)).await?;
                untold = true;
            }
            self.streams.insert(name.clone(), Stream { source, known: first && self.described });
        }
        if !untold {
            return Ok(None);
        }
        (self.described, self.waiting) = (true, true);
        self.peer.offer().await.map(Some)
    }

    /// The device has answered the last offer.
    ///
    /// # Errors
    /// When the engine refuses the answer.
    pub(super) async fn answered(&mut self, answer: &str) -> Result<(), EngineError> {
        if !self.waiting {
            return Ok(());
        }
        self.peer.accept(answer).await?;
        self.waiting = false;
        self.streams.values_mut().for_each(|stream| stream.known = true);
        Ok(())
    }

    /// Sends on what came from the leg called `source`.
    ///
    /// # Errors
    /// Why it was not sent on.
    pub(super) async fn send(&self, source: &str, packet: &Incoming) -> Result<(), &'static str> {
        if *self.peer.state().borrow() != PeerState::Connected {
            return Err("the other leg is not connected");
        }
        let stream = self.streams.get(source).filter(|stream| stream.known);
        let stream = stream.ok_or("the other leg has not been told of the stream")?;
        let outgoing = Outgoing {
            kind: packet.kind,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            payload: packet.payload.clone(),
        };
        self.peer.send_from(&stream.source, outgoing).await.map_err(|_| "the other leg is closed")
    }

    /// Closes the connection.
    pub(super) async fn close(&self) {
        self.peer.close().await;
    }
}

fn tracks(entropy: &Entropy, media: &[Kind]) -> Vec<TrackSetup> {
    let track = |kind: &Kind| TrackSetup { kind: *kind, ssrc: u32::from_be_bytes(entropy.array()).max(1) };
    media.iter().map(track).collect()
}
