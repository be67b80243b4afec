//! The key agreement of `frames` at one device, step by step (design, section 1.6).
//!
//! Invariant: the agreed secret is gone once the other device's confirmation has been verified.

use super::call::Call;
use super::{Body, Stage};
use crate::agreement::{Agreed, Half, SUITE_1, Terms, commitment, key_id};
use crate::entropy::Entropy;
use crate::journal::Owner;
use crate::sealing::{Opener, SealError, Sealer};
use crate::service_link::HandedKey;
use crate::signalling::Message;
use model::outcome::Reason;
use model::plan::Profile;
use model::record::Claimed;
use model::{Kind, Role};

/// Where one device stands.
pub(super) struct Agreement {
    suites: Vec<u16>,
    chosen: u16,
    commit: Option<[u8; 32]>,
    pub(super) half: Option<Half>,
    /// Of the profile `own`: the other device's public key.
    pub(super) theirs: Option<[u8; 32]>,
    /// The callee's public key and nonce.
    callee: Option<([u8; 32], [u8; 32])>,
    agreed: Option<Agreed>,
    pub(super) confirmed: bool,
}

/// What an answer says.
pub(super) struct AnswerTerms {
    pub(super) intent: u8,
    pub(super) suite: u16,
    pub(super) epk: String,
    pub(super) nonce: String,
    pub(super) ek: String,
}

/// What a reveal says.
pub(super) struct RevealTerms {
    pub(super) epk: String,
    pub(super) nonce: String,
    pub(super) ct: String,
    pub(super) confirmation: String,
}

impl Agreement {
    pub(super) fn offered(entropy: &Entropy, sealing: bool) -> Self {
        let half = sealing.then(|| Half::fresh(entropy));
        Self {
            suites: if sealing { vec![SUITE_1] } else { Vec::new() },
            chosen: 0,
            commit: half.as_ref().map(Half::commitment),
            half,
            theirs: None,
            callee: None,
            agreed: None,
            confirmed: false,
        }
    }

    pub(super) fn received(suites: &[u16], commit: &str) -> Self {
        Self {
            suites: suites.to_vec(),
            chosen: 0,
            commit: bytes(commit),
            half: None,
            theirs: None,
            callee: None,
            agreed: None,
            confirmed: false,
        }
    }

    pub(super) fn suites(&self) -> Vec<u16> {
        self.suites.clone()
    }

    /// The commitment of the offer; none where nothing is agreed.
    pub(super) const fn commit(&self) -> Option<&[u8; 32]> {
        self.commit.as_ref()
    }

    pub(super) fn commit_hex(&self) -> String {
        self.commit.map(hex::encode).unwrap_or_default()
    }

    pub(super) const fn confirmed(&self) -> bool {
        self.confirmed
    }

    pub(super) fn answer(&mut self, entropy: &Entropy, sealed: bool) -> AnswerTerms {
        let mut answer = AnswerTerms {
            intent: u8::from(sealed),
            suite: 0,
            epk: String::new(),
            nonce: String::new(),
            ek: String::new(),
        };
        if sealed {
            let half = Half::fresh(entropy);
            self.chosen = SUITE_1;
            self.callee = Some((half.public, half.nonce));
            (answer.suite, answer.epk, answer.nonce) =
                (SUITE_1, hex::encode(half.public), hex::encode(half.nonce));
            self.half = Some(half);
        }
        answer
    }

    pub(super) fn erase(&mut self) {
        (self.half, self.agreed) = (None, None);
    }

    /// The secrets that have not been erased, each with what it is.
    pub(super) fn secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let half =
            self.half.as_ref().map(|half| ("the secret half of the agreement", half.secret().to_vec()));
        half.into_iter().chain(self.agreed.iter().flat_map(Agreed::secrets)).collect()
    }

    /// What the other device and everybody in between has seen as well.
    pub(super) fn public(&self) -> Vec<u8> {
        let callee = self.callee.iter().flat_map(|(public, nonce)| [public, nonce]);
        self.commit.iter().chain(callee).flatten().copied().collect()
    }
}

pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The terms of the agreement, once the caller's key and nonce are known.
fn terms(call: &Call, epk_caller: [u8; 32], nonce_caller: [u8; 32]) -> Option<Terms> {
    let (epk_callee, nonce_callee) = call.agreement.callee?;
    let (caller_intent, callee_intent) = match call.role {
        Role::Caller => (call.own_intent, call.other_intent),
        Role::Callee => (call.other_intent, call.own_intent),
    };
    Some(Terms {
        call_id: call.id,
        caller: call.caller.clone(),
        callee: call.callee.clone(),
        caller_intent,
        callee_intent,
        offered_suites: call.agreement.suites.clone(),
        chosen_suite: call.agreement.chosen,
        commit: call.agreement.commit?,
        epk_callee,
        nonce_callee,
        ek_callee: Vec::new(),
        epk_caller,
        nonce_caller,
        ct: Vec::new(),
    })
}

impl Body {
    /// The first answer and no other.
    pub(super) async fn answered(&mut self, call: &str, answer: AnswerTerms) {
        let Some(state) =
            self.calls.get_mut(call).filter(|c| c.role == Role::Caller && !c.answered && !c.over)
        else {
            return;
        };
        state.answered = true;
        state.other_intent = u8::from(answer.intent == 1) & state.own_intent;
        let sealed = state.sealed() && state.profile == Profile::Frames;
        self.answered_here(call);
        if self.deviation.lights_lock_alone() && self.setup.e2ee {
            self.claim(call, Claimed::Lock(true));
        }
        if sealed && let Err(reason) = self.reveal(call, &answer) {
            self.leave(call, Some(reason)).await;
        }
    }

    fn reveal(&mut self, call: &str, answer: &AnswerTerms) -> Result<(), Reason> {
        let Some(state) = self.calls.get_mut(call) else { return Ok(()) };
        if !state.agreement.suites.contains(&answer.suite) || !answer.ek.is_empty() {
            return Err(Reason::UnofferedSuite);
        }
        let (Some(epk), Some(nonce)) = (bytes(&answer.epk), bytes(&answer.nonce)) else {
            return Err(Reason::ClientFailed);
        };
        state.agreement.chosen = answer.suite;
        state.agreement.callee = Some((epk, nonce));
        let half = state.agreement.half.take().ok_or(Reason::ClientFailed)?;
        let (own_epk, own_nonce) = (half.public, half.nonce);
        let terms = terms(state, own_epk, own_nonce).ok_or(Reason::ClientFailed)?;
        let agreed = Agreed::on(&terms, half, &epk).map_err(|_| Reason::LowOrderKey)?;
        let confirmation = hex::encode(agreed.confirmation(Role::Caller));
        self.agree(call, agreed).map_err(|_| Reason::ClientFailed)?;
        self.send(Message::Reveal {
            call: call.to_owned(),
            epk: hex::encode(own_epk),
            nonce: hex::encode(own_nonce),
            ct: String::new(),
            confirmation,
        });
        Ok(())
    }

    pub(super) async fn revealed(&mut self, call: &str, reveal: RevealTerms) {
        let waiting =
            |c: &&mut Call| c.role == Role::Callee && c.sealed() && !c.over && c.agreement.half.is_some();
        if self.calls.get_mut(call).filter(waiting).is_none() {
            return;
        }
        match self.check_reveal(call, &reveal) {
            Ok(confirmation) => {
                self.send(Message::Confirm { call: call.to_owned(), confirmation });
                self.other_confirmed(call).await;
            }
            Err(reason) => self.leave(call, Some(reason)).await,
        }
    }

    fn check_reveal(&mut self, call: &str, reveal: &RevealTerms) -> Result<String, Reason> {
        let state = self.calls.get_mut(call).ok_or(Reason::ClientFailed)?;
        let (Some(epk), Some(nonce)) = (bytes(&reveal.epk), bytes(&reveal.nonce)) else {
            return Err(Reason::CommitmentMismatch);
        };
        if state.agreement.commit != Some(commitment(&epk, &nonce)) || !reveal.ct.is_empty() {
            return Err(Reason::CommitmentMismatch);
        }
        let half = state.agreement.half.take().ok_or(Reason::ClientFailed)?;
        let terms = terms(state, epk, nonce).ok_or(Reason::ClientFailed)?;
        let agreed = Agreed::on(&terms, half, &epk).map_err(|_| Reason::LowOrderKey)?;
        let theirs = hex::decode(&reveal.confirmation).unwrap_or_default();
        if !agreed.confirms(Role::Caller, &theirs) {
            return Err(Reason::ConfirmationMismatch);
        }
        let confirmation = hex::encode(agreed.confirmation(Role::Callee));
        self.agree(call, agreed).map_err(|_| Reason::ClientFailed)?;
        Ok(confirmation)
    }

    pub(super) async fn confirmed(&mut self, call: &str, confirmation: &str) {
        let Some(state) = self.calls.get_mut(call).filter(|c| c.role == Role::Caller && !c.over) else {
            return;
        };
        let Some(agreed) = &state.agreement.agreed else { return };
        if agreed.confirms(Role::Callee, &hex::decode(confirmation).unwrap_or_default()) {
            self.other_confirmed(call).await;
        } else {
            self.leave(call, Some(Reason::ConfirmationMismatch)).await;
        }
    }

    /// Makes the SFrame keys, and writes down what the two devices hold.
    fn agree(&mut self, call: &str, mut agreed: Agreed) -> Result<(), SealError> {
        let line = agreed.key_file_line(call);
        line.into_iter().for_each(|line| self.setup.journal.key(Owner::Parties, line));
        self.seal_with(call, |sender, kind| agreed.base_key(sender, kind))?;
        if let Some(state) = self.calls.get_mut(call) {
            state.agreement.agreed = Some(agreed);
        }
        Ok(())
    }

    /// Makes the SFrame keys of every kind, and writes them down.
    pub(super) fn seal_with(
        &mut self,
        call: &str,
        agreed: impl Fn(Role, Kind) -> [u8; 16],
    ) -> Result<(), SealError> {
        let journal = self.setup.journal.clone();
        let Some(state) = self.calls.get_mut(call) else { return Ok(()) };
        let own = state.role;
        for kind in state.media.clone() {
            let keys = [own, own.other()].map(|sender| {
                let other = self.deviation.base_key(&state.id, sender, kind);
                other.unwrap_or_else(|| agreed(sender, kind))
            });
            for (sender, key) in [own, own.other()].into_iter().zip(&keys) {
                let id = key_id(sender, kind);
                journal.key(Owner::Parties, format!("SFRAME 4 {id} {}", hex::encode(key)));
            }
            let mut sealer = Sealer::new(key_id(own, kind), &keys[0])?;
            if let Some(frames) = self.deviation.restarts_after() {
                sealer = sealer.restarting_after(frames);
            }
            let mut opener = Opener::new(key_id(own.other(), kind), &keys[1])?;
            if !self.deviation.refuses_replay() {
                opener = opener.accepting_replay();
            }
            if let Some(stream) = state.streams.get_mut(&kind) {
                stream.seal_with(sealer, opener);
            }
            let told = self.deviation.tells_service(&keys[0]).filter(|_| kind == Kind::Audio);
            if let Some(data) = told {
                let _ = self.outbox.send(Message::Opaque { call: call.to_owned(), data });
            }
            if self.deviation.lets_record() {
                let ids = [own, own.other()].map(|sender| key_id(sender, kind));
                let handed = ids.into_iter().zip(keys).map(|(id, base_key)| HandedKey { id, base_key });
                state.base_keys.extend(handed.map(String::from));
            }
        }
        Ok(())
    }

    /// The other device has shown that it holds the same keys: lock, code, media.
    async fn other_confirmed(&mut self, call: &str) {
        let Some(state) = self.calls.get_mut(call) else { return };
        state.agreement.confirmed = true;
        let code = state.agreement.agreed.as_ref().map(|agreed| agreed.code().to_owned());
        state.agreement.erase();
        self.claim(call, Claimed::Confirmed);
        self.claim(call, Claimed::Lock(true));
        self.claim(call, Claimed::Code(code.unwrap_or_default()));
        self.media_may_flow(call).await;
    }

    /// Both halves of being up: a connected peer, and in a sealed call a verified confirmation.
    pub(super) async fn media_may_flow(&mut self, call: &str) {
        let Some(state) = self.calls.get_mut(call).filter(|c| c.open_to_media() && !c.up) else { return };
        state.up = true;
        self.claim(call, Claimed::Connected);
        self.stage(call, Stage::Up);
    }
}
