//! Descriptions, and the peer that they set up.

use model::outcome::Reason;
use model::plan::Profile;
use model::record::Claimed;

use super::call::Call;
use super::media::ssrcs;
use super::{Body, Input};
use crate::agreement::dtls_code;
use crate::engine::{EngineError, Peer, PeerSetup, PeerState, fingerprints};
use crate::journal::Owner;
use crate::signalling::Message;

impl Body {
    pub(super) async fn routed(&mut self, call: &str, path: &str) {
        let Some(state) = self.calls.get_mut(call).filter(|c| c.answered && !c.over) else { return };
        state.relayed = path == "relay";
        if state.role == model::Role::Callee {
            return;
        }
        let offered = match self.peer(call).await {
            Ok(()) => self.describe(call, None).await,
            Err(error) => Err(error),
        };
        match offered {
            Ok(sdp) => self.send(Message::SdpOffer { call: call.to_owned(), sdp }),
            Err(error) => self.engine_failed(call, &error).await,
        }
    }

    /// The certificate of this device is made here: after the offer arrived, and for one call.
    pub(super) async fn sdp_offered(&mut self, call: &str, sdp: &str) {
        let Some(state) = self.calls.get_mut(call).filter(|c| c.answered && !c.over) else { return };
        if state.peer.is_some() {
            return self.offered_again(call, sdp).await;
        }
        if !self.take_fingerprints(call, sdp).await {
            return;
        }
        let answered = match self.peer(call).await {
            Ok(()) => self.describe(call, Some(sdp)).await,
            Err(error) => Err(error),
        };
        self.send_early(call, sdp);
        match answered {
            Ok(sdp) => self.send(Message::SdpAnswer { call: call.to_owned(), sdp }),
            Err(error) => self.engine_failed(call, &error).await,
        }
    }

    pub(super) async fn sdp_answered(&mut self, call: &str, sdp: &str) {
        let Some(state) = self.calls.get(call).filter(|c| c.peer.is_some() && !c.over) else { return };
        if !state.other_fingerprints.is_empty() {
            self.described_again(call, sdp).await;
            return;
        }
        if !self.take_fingerprints(call, sdp).await {
            return;
        }
        self.send_early(call, sdp);
        let Some(peer) = self.calls.get(call).and_then(|c| c.peer.as_ref()) else { return };
        if let Err(error) = peer.accept(sdp).await {
            self.engine_failed(call, &error).await;
        }
    }

    /// A fingerprint that changes within a call ends it; says whether the call goes on.
    async fn described_again(&mut self, call: &str, sdp: &str) -> bool {
        let changed = self.calls.get(call).is_some_and(|c| c.other_fingerprints != fingerprints(sdp));
        if changed && self.deviation.checks_fingerprint() {
            self.leave(call, Some(Reason::FingerprintChanged)).await;
            return false;
        }
        true
    }

    /// In an ordinary call the media processor offers again when somebody's streams come in addition.
    async fn offered_again(&mut self, call: &str, sdp: &str) {
        let sealed = self.calls.get(call).is_none_or(Call::sealed);
        if !self.described_again(call, sdp).await || sealed {
            return;
        }
        match self.describe(call, Some(sdp)).await {
            Ok(sdp) => self.send(Message::SdpAnswer { call: call.to_owned(), sdp }),
            Err(error) => self.engine_failed(call, &error).await,
        }
    }

    /// There is exactly one fingerprint, or the call ends.
    async fn take_fingerprints(&mut self, call: &str, sdp: &str) -> bool {
        let found = fingerprints(sdp);
        let one = found.len() == 1;
        if let Some(state) = self.calls.get_mut(call) {
            state.other_fingerprints = found;
        }
        if !one {
            self.leave(call, Some(Reason::FingerprintMismatch)).await;
        }
        one
    }

    async fn peer(&mut self, call: &str) -> Result<(), EngineError> {
        let checks_fingerprint = self.deviation.checks_fingerprint();
        let Some(state) = self.calls.get_mut(call) else { return Ok(()) };
        let entropy = std::sync::Arc::new(self.setup.entropy.child(call));
        let (peer, mut incoming) = Peer::new(PeerSetup {
            net: self.setup.net.clone(),
            link: self.setup.link.clone(),
            keys: self.setup.journal.keys(Owner::Parties),
            tracks: ssrcs(&entropy, &state.media),
            entropy,
            checks_fingerprint,
            relay: self.setup.relay.clone().filter(|_| state.relayed),
        })
        .await?;
        let mut changes = peer.state();
        state.peer = Some(peer);
        let (inputs, id) = (self.inputs.clone(), call.to_owned());
        tokio::spawn(async move {
            let settled = changes.wait_for(|s| *s != PeerState::Connecting).await.map(|s| *s);
            let _ = match settled {
                Ok(PeerState::Connected) => inputs.send(Input::Connected(id)),
                Ok(_) => inputs.send(Input::Refused(id)),
                Err(_) => Ok(()),
            };
        });
        let (inputs, id) = (self.inputs.clone(), call.to_owned());
        tokio::spawn(async move {
            while let Some(packet) = incoming.recv().await {
                if inputs.send(Input::Packet(id.clone(), packet)).is_err() {
                    break;
                }
            }
        });
        Ok(())
    }

    /// Offers, or answers `offer`, and remembers the own fingerprint.
    async fn describe(&mut self, call: &str, offer: Option<&str>) -> Result<String, EngineError> {
        let Some(state) = self.calls.get_mut(call) else { return Ok(String::new()) };
        let Some(peer) = &state.peer else { return Ok(String::new()) };
        let sdp = match offer {
            None => peer.offer().await?,
            Some(offer) => peer.answer(offer).await?,
        };
        state.own_fingerprints = fingerprints(&sdp);
        Ok(sdp)
    }

    pub(super) async fn connected(&mut self, call: &str) {
        let Some(state) = self.calls.get_mut(call).filter(|c| !c.over) else { return };
        state.connected = true;
        if state.sealed() && state.profile == Profile::Dtls && !self.lock_by_certificates(call).await {
            return;
        }
        self.media_may_flow(call).await;
    }

    /// Lock and code of the profile `dtls`, from the certificates of the handshake.
    async fn lock_by_certificates(&mut self, call: &str) -> bool {
        let checks = self.deviation.checks_fingerprint();
        let Some(state) = self.calls.get(call) else { return false };
        let Some(peer) = &state.peer else { return false };
        let seen = peer.seen_fingerprint().await;
        let (Some(seen), Some(own)) = (seen, state.own_fingerprints.first()) else {
            self.leave(call, Some(Reason::ClientFailed)).await;
            return false;
        };
        if checks && state.other_fingerprints != [seen] {
            self.leave(call, Some(Reason::FingerprintMismatch)).await;
            return false;
        }
        let ordered = match state.role {
            model::Role::Caller => [own, &seen],
            model::Role::Callee => [&seen, own],
        };
        let code = dtls_code(&state.id, &state.caller, &state.callee, ordered);
        self.claim(call, Claimed::Lock(true));
        self.claim(call, Claimed::Code(code));
        true
    }

    async fn engine_failed(&mut self, call: &str, error: &EngineError) {
        self.remark(&error.to_string());
        self.leave(call, Some(Reason::ClientFailed)).await;
    }
}
