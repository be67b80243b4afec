//! Two WebRTC peers, one per leg of a call: what opens on one hop goes out on the other.
//!
//! Payload, marker, timestamp and sequence number stay, the SSRC is fresh, the payload type is that of the hop; nothing is
//! ordered or repaired; RTCP ends at each hop; every packet that is not passed on is written down with the reason.

use std::sync::Arc;

use model::record::DroppedBy;
use model::{Kind, Role};
use net::{AccessLink, Network};
use tokio::sync::mpsc;

use crate::engine::{EngineError, Incoming, KeySink, Outgoing, Peer, PeerSetup, PeerState, TrackSetup};
use crate::entropy::Entropy;
use crate::journal::Journal;
use crate::mitm::Mallory;
use crate::reading::RecorderLink;

/// Where a media node stands in its world.
#[derive(Clone)]
pub struct Ground {
    /// Time.
    pub net: Arc<dyn Network>,
    /// Its way into the network.
    pub link: Arc<dyn AccessLink>,
    /// Where it writes what it did.
    pub journal: Arc<Journal>,
    /// Its randomness.
    pub entropy: Arc<Entropy>,
    /// Where its DTLS secrets go.
    pub keys: KeySink,
    /// The name under which it drops packets.
    pub dropped_by: DroppedBy,
    /// Whoever alters what it carries.
    pub mallory: Option<Mallory>,
    /// Where it tells what it reads for a feature, in a world that has a recorder.
    pub recorder: Option<RecorderLink>,
}

/// The two legs of one call.
pub struct Bridge {
    ground: Ground,
    caller: Peer,
    callee: Peer,
}

impl Bridge {
    /// Answers the caller's offer and offers to the callee; packets of both legs come through `packets`.
    ///
    /// # Errors
    /// When the engine refuses, or the offer is no description.
    pub async fn new(
        ground: Ground,
        call: &str,
        media: &[Kind],
        offer: &str,
        packets: mpsc::UnboundedSender<(String, Role, Incoming)>,
    ) -> Result<(Self, String, String), EngineError> {
        let mut peers = Vec::new();
        for role in [Role::Caller, Role::Callee] {
            let entropy = Arc::new(ground.entropy.child(call).child(role.word()));
            let track =
                |kind: &Kind| TrackSetup { kind: *kind, ssrc: u32::from_be_bytes(entropy.array()).max(1) };
            let (peer, mut incoming) = Peer::new(PeerSetup {
                net: ground.net.clone(),
                link: ground.link.clone(),
                keys: ground.keys.clone(),
                tracks: media.iter().map(track).collect(),
                entropy: entropy.clone(),
                checks_fingerprint: true,
                relay: None,
            })
            .await?;
            let (packets, call) = (packets.clone(), call.to_owned());
            tokio::spawn(async move {
                while let Some(packet) = incoming.recv().await {
                    if packets.send((call.clone(), role, packet)).is_err() {
                        break;
                    }
                }
            });
            peers.push(peer);
        }
        let (callee, caller) = (peers.pop().expect("two legs"), peers.pop().expect("two legs"));
        let answer = caller.answer(offer).await?;
        let offer = callee.offer().await?;
        Ok((Self { ground, caller, callee }, answer, offer))
    }

    /// Takes the callee's answer.
    ///
    /// # Errors
    /// When the engine refuses it.
    pub async fn accept(&self, answer: &str) -> Result<(), EngineError> {
        self.callee.accept(answer).await
    }

    /// Passes on what came from the leg of `from`, as Mallory leaves it.
    pub async fn pass(&self, from: Role, packet: Incoming) {
        let packets = match &self.ground.mallory {
            Some(mallory) => mallory.packet(from, packet),
            None => vec![(from.other(), packet)],
        };
        for (to, packet) in packets {
            self.send(to, packet).await;
        }
    }

    /// Sends a packet on a leg, or writes down why not.
    async fn send(&self, to: Role, packet: Incoming) {
        let from = to.other();
        let out = match to {
            Role::Caller => &self.caller,
            Role::Callee => &self.callee,
        };
        if *out.state().borrow() != PeerState::Connected {
            return self.drop_packet(from, &packet, "the other leg is not connected");
        }
        let payload = packet.payload.clone();
        let outgoing = Outgoing {
            kind: packet.kind,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            payload,
        };
        if out.send(outgoing).await.is_err() {
            self.drop_packet(from, &packet, "the other leg is closed");
        }
    }

    fn drop_packet(&self, from: Role, packet: &Incoming, reason: &str) {
        let ground = &self.ground;
        ground.journal.dropped(ground.dropped_by, from.word(), from.other().word(), &packet.payload, reason);
    }

    /// Closes both legs.
    pub async fn close(&self) {
        self.caller.close().await;
        self.callee.close().await;
    }
}
