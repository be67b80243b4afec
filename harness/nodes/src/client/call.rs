//! One call at one device: placing, ringing, answering.

use std::collections::BTreeMap;

use model::plan::{CallKind, Profile};
use model::record::Claimed;
use model::release::Feature;
use model::{Kind, Role, UserId};
use tokio::sync::oneshot;

use super::agree::Agreement;
use super::media::Media;
use super::{Body, Clock, RING_FOR, Stage};
use crate::engine::Peer;
use crate::signalling::Message;

/// One call at one device.
pub(super) struct Call {
    pub(super) id: [u8; 16],
    pub(super) role: Role,
    pub(super) caller: UserId,
    pub(super) callee: UserId,
    /// Whether one user and nobody else is called.
    pub(super) one_to_one: bool,
    pub(super) media: Vec<Kind>,
    pub(super) own_intent: u8,
    pub(super) other_intent: u8,
    pub(super) profile: Profile,
    pub(super) agreement: Agreement,
    pub(super) peer: Option<Peer>,
    pub(super) own_fingerprints: Vec<[u8; 32]>,
    pub(super) other_fingerprints: Vec<[u8; 32]>,
    pub(super) relayed: bool,
    pub(super) connected: bool,
    pub(super) answered: bool,
    pub(super) streams: BTreeMap<Kind, Media>,
    /// Base keys as they are handed over, kept only by a client that lets the service record a sealed call.
    pub(super) base_keys: Vec<String>,
    pub(super) over: bool,
    pub(super) up: bool,
}

impl Call {
    /// Whether this device takes the call for a sealed one.
    pub(super) fn sealed(&self) -> bool {
        self.answered && self.own_intent == 1 && self.other_intent == 1
    }

    /// Whether it is a sealed call whose frames have a seal of their own.
    pub(super) fn seals(&self) -> bool {
        self.sealed() && self.profile != Profile::Dtls
    }

    /// Whether frames may be sent and played.
    pub(super) fn open_to_media(&self) -> bool {
        let confirmed = !self.seals() || self.agreement.confirmed();
        self.connected && confirmed && !self.over
    }
}

/// What an offer says that the agreement does not need.
struct Terms {
    id: [u8; 16],
    role: Role,
    caller: UserId,
    callee: UserId,
    one_to_one: bool,
    media: Vec<Kind>,
    profile: Profile,
}

impl Body {
    fn new_call(&self, terms: Terms, own_intent: u8, other_intent: u8, agreement: Agreement) -> Call {
        let streams = terms.media.iter().map(|kind| (*kind, Media::new(&self.setup.entropy))).collect();
        Call {
            id: terms.id,
            role: terms.role,
            caller: terms.caller,
            callee: terms.callee,
            one_to_one: terms.one_to_one,
            media: terms.media,
            own_intent,
            other_intent,
            profile: terms.profile,
            agreement,
            peer: None,
            own_fingerprints: Vec::new(),
            other_fingerprints: Vec::new(),
            relayed: false,
            connected: false,
            answered: false,
            streams,
            base_keys: Vec::new(),
            over: false,
            up: false,
        }
    }

    pub(super) async fn place(
        &mut self,
        to: Vec<String>,
        media: Vec<Kind>,
        kind: CallKind,
        placed: oneshot::Sender<String>,
    ) {
        let id: [u8; 16] = self.setup.entropy.array();
        let call = hex::encode(id);
        let user = to.first().and_then(|first| first.parse::<UserId>().ok());
        let one_to_one = to.len() == 1 && user.is_some();
        let can_be_sealed = one_to_one && kind == CallKind::Unscheduled;
        let intent = if can_be_sealed { self.own_intent().await } else { 0 };
        let profile = self.setup.profile;
        let agreement = Agreement::offered(&self.setup.entropy, intent == 1 && profile == Profile::Frames);
        let callee = user.unwrap_or_else(|| UserId::new(to.first().map_or("", String::as_str), ""));
        self.send(Message::Offer {
            call: call.clone(),
            from: self.setup.device.user.to_string(),
            to,
            media: media.iter().map(|kind| kind.word().to_owned()).collect(),
            kind: kind.to_string(),
            profile: profile.to_string(),
            intent,
            suites: agreement.suites(),
            commit: agreement.commit_hex(),
        });
        let caller = self.setup.device.user.clone();
        let terms = Terms { id, role: Role::Caller, caller, callee, one_to_one, media, profile };
        let made = self.new_call(terms, intent, 0, agreement);
        self.calls.insert(call.clone(), made);
        self.own_half(&call);
        self.stage(&call, Stage::Ringing);
        self.wake(&call, Clock::Ringing, RING_FOR);
        let _ = placed.send(call.clone());
        self.crossed(&call).await;
    }

    pub(super) async fn offered(&mut self, offer: Message) {
        let Message::Offer { call, from, to, media, profile, intent, suites, commit, .. } = offer else {
            return;
        };
        let (Some(id), Ok(caller), Ok(profile)) =
            (call_id(&call), from.parse::<UserId>(), profile.parse::<Profile>())
        else {
            return self.remark("an offer that cannot be read was ignored");
        };
        if self.calls.contains_key(&call) {
            return;
        }
        let media: Vec<Kind> = media.iter().filter_map(|kind| kind.parse().ok()).collect();
        let agreement = Agreement::received(&suites, &commit);
        let callee = self.setup.device.user.clone();
        let one_to_one = to.len() == 1;
        let terms = Terms { id, role: Role::Callee, caller, callee, one_to_one, media, profile };
        let made = self.new_call(terms, 0, u8::from(intent == 1), agreement);
        self.calls.insert(call.clone(), made);
        if self.crossed(&call).await {
            return;
        }
        self.claim(&call, Claimed::Ringing);
        self.stage(&call, Stage::Ringing);
        self.send(Message::Ringing { call });
    }

    /// The person takes the call: only now is a key made, and once.
    pub(super) async fn answer(&mut self, call: &str) {
        let own = self.own_intent().await;
        let entropy = self.setup.entropy.clone();
        let Some(state) =
            self.calls.get_mut(call).filter(|c| c.role == Role::Callee && !c.answered && !c.over)
        else {
            return;
        };
        let intent = own & state.other_intent;
        state.own_intent = intent;
        state.answered = true;
        let sealed = intent == 1 && state.profile == Profile::Frames;
        let answer = state.agreement.answer(&entropy, sealed);
        self.send(Message::Answer {
            call: call.to_owned(),
            intent,
            suite: answer.suite,
            epk: answer.epk,
            nonce: answer.nonce,
            ek: String::new(),
        });
        self.own_half(call);
        self.claim(call, Claimed::Answered);
        self.answered_here(call);
        self.own_agrees(call).await;
    }

    /// Both roles, once the call is answered: controls, settings, lock of a faulty client, and the clock.
    pub(super) fn answered_here(&mut self, call: &str) {
        let Some(state) = self.calls.get(call) else { return };
        let (sealed, role) = (state.sealed(), state.role);
        let shown: Vec<Feature> = Feature::ALL
            .iter()
            .copied()
            .filter(|f| !(f.is_setting() || sealed && self.setup.release.withholds(*f)))
            .collect();
        self.claim(call, Claimed::Controls(shown));
        if sealed && role == Role::Callee {
            self.settings_not_applied(call);
        }
        self.stage(call, Stage::Answered);
        self.wake(call, Clock::SetUp, self.setup.set_up_timeout);
    }
}

/// The 16 bytes of a call id written as 32 hex digits.
pub(super) fn call_id(call: &str) -> Option<[u8; 16]> {
    hex::decode(call).ok()?.try_into().ok()
}
