//! How a call ends at one device: by a person, by the other device, by a deadline or by what went wrong.
//!
//! Invariant: the keys of a call are gone when it has ended.

use model::Role;
use model::outcome::Reason;
use model::plan::Profile;
use model::record::Claimed;
use sha2::{Digest, Sha256};

use super::{Body, Clock, Stage};
use crate::signalling::Message;

impl Body {
    /// This device leaves the call: for a reason, or because a person hung up.
    pub(super) async fn leave(&mut self, call: &str, reason: Option<Reason>) {
        if self.calls.get(call).is_none_or(|c| c.over) {
            return;
        }
        self.send(Message::HangUp {
            call: call.to_owned(),
            reason: reason.map(|r| r.word().to_owned()).unwrap_or_default(),
        });
        self.close(call, reason, true).await;
    }

    pub(super) async fn decline(&mut self, call: &str) {
        if self.calls.get(call).is_none_or(|c| c.role != Role::Callee || c.answered || c.over) {
            return;
        }
        self.send(Message::Decline { call: call.to_owned() });
        self.close(call, Some(Reason::Declined), true).await;
    }

    pub(super) async fn ended_by_other(&mut self, call: &str, reason: Option<Reason>) {
        let Some(state) = self.calls.get(call).filter(|c| !c.over) else { return };
        let rang = state.role == Role::Callee && !state.answered;
        let asked = !self.setup.settings.is_empty() && rang && state.other_intent == 1;
        self.close(call, reason, false).await;
        // Where nobody answers, voicemail would have taken an ordinary call.
        if asked && reason == Some(Reason::NoAnswer) && self.own_intent().await == 1 {
            self.settings_not_applied(call);
        }
    }

    /// The call log says which settings of the user a sealed call does without.
    pub(super) fn settings_not_applied(&self, call: &str) {
        for setting in self.setup.settings.iter().filter(|f| self.setup.release.withholds(**f)) {
            self.claim(call, Claimed::NotApplied(*setting));
        }
    }

    async fn close(&mut self, call: &str, reason: Option<Reason>, own: bool) {
        let Some(state) = self.calls.get_mut(call) else { return };
        state.over = true;
        state.agreement.erase();
        state.streams.values_mut().for_each(super::media::Media::erase);
        let peer = state.peer.take();
        self.claim(call, Claimed::Ended { reason, own });
        self.stage(call, Stage::Over(reason));
        if let Some(peer) = peer {
            peer.close().await;
        }
    }

    /// ICE and DTLS gave up.
    pub(super) async fn refused(&mut self, call: &str) {
        if self.calls.get(call).is_some_and(|c| !c.up && !c.over) {
            self.leave(call, Some(Reason::SetUpTimeout)).await;
        }
    }

    /// The time for ringing or for setting up is over.
    pub(super) async fn deadline(&mut self, call: &str, clock: Clock) {
        let Some(state) = self.calls.get(call).filter(|c| !c.up && !c.over) else { return };
        if clock == Clock::Ringing {
            if !state.answered {
                self.leave(call, Some(Reason::NoAnswer)).await;
            }
            return;
        }
        let unconfirmed = state.sealed() && state.profile == Profile::Frames && !state.agreement.confirmed();
        let reason = if unconfirmed && (state.connected || state.peer.is_none()) {
            Reason::ConfirmationMissing
        } else {
            Reason::SetUpTimeout
        };
        self.leave(call, Some(reason)).await;
    }

    pub(super) fn chatted(&self, text: &str) {
        let sha256 = hex::encode(Sha256::digest(text));
        self.claim("", Claimed::Chat { sha256, says_not_sealed: true });
    }
}
