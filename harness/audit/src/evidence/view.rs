//! What one device saw of the signalling of a call, on its own connection.
//!
//! Invariant: what a device sent and what it was sent are kept apart, because somebody may stand between.

use std::collections::BTreeSet;

use model::{Role, UserId};
use serde_json::Value;

use super::Evidence;
use super::signalling::{Message, Signalling};
use crate::agreement::{Bytes32, KeySchedule, SecurityCode, Signalled};

/// One device's signalling of one call, in the order of the wire.
#[derive(Debug)]
pub struct View<'e> {
    /// The part of the device.
    pub role: Role,
    /// Messages that the device sent.
    pub sent: Vec<&'e Message>,
    /// Messages that the device was sent.
    pub received: Vec<&'e Message>,
}

impl<'e> View<'e> {
    /// The signalling of the call `id` at the link called `tap`.
    pub fn of(evidence: &'e Evidence<'_>, tap: &str, role: Role, id: &'e str) -> Self {
        let interface = evidence.capture.interface(tap);
        let here = evidence.signalling.of_call(id).filter(|m| evidence.signalling.interface(m) == interface);
        let (sent, received) = here.partition(|message| message.from_client);
        Self { role, sent, received }
    }

    /// Every call as each end of it signalled, with its id: whoever sends the offer on a connection is the caller there.
    pub fn all(signalling: &'e Signalling) -> Vec<(&'e str, Self)> {
        let calls: BTreeSet<(usize, &str)> =
            signalling.messages.iter().map(|message| (message.connection, message.text_of("call"))).collect();
        let view = |(connection, call): (usize, &'e str)| {
            let of_call =
                |message: &&Message| message.connection == connection && message.text_of("call") == call;
            let (sent, received): (Vec<&Message>, Vec<&Message>) =
                signalling.messages.iter().filter(of_call).partition(|message| message.from_client);
            let offers = sent.iter().any(|message| message.kind() == "offer");
            (call, Self { role: if offers { Role::Caller } else { Role::Callee }, sent, received })
        };
        calls.into_iter().filter(|(_, call)| !call.is_empty()).map(view).collect()
    }

    /// The first message of a kind that the device sent.
    pub fn said(&self, kind: &str) -> Option<&'e Message> {
        self.sent.iter().copied().find(|message| message.kind() == kind)
    }

    /// The first message of a kind that the device was sent.
    pub fn heard(&self, kind: &str) -> Option<&'e Message> {
        self.received.iter().copied().find(|message| message.kind() == kind)
    }

    /// A message that `role` sends, from where this device stands.
    pub fn from(&self, role: Role, kind: &str) -> Option<&'e Message> {
        if role == self.role { self.said(kind) } else { self.heard(kind) }
    }

    /// The agreement as this device saw it; none where a message or a field of it is missing.
    pub fn signalled(&self) -> Option<Signalled> {
        let offer = self.from(Role::Caller, "offer")?;
        let answer = self.from(Role::Callee, "answer")?;
        let reveal = self.from(Role::Caller, "reveal")?;
        let caller: UserId = offer.text_of("from").parse().ok()?;
        let callee: UserId = offer.json.get("to")?.get(0)?.as_str()?.parse().ok()?;
        let suites = offer.json.get("suites")?.as_array()?.iter();
        Some(Signalled {
            call_id: hex::decode(offer.text_of("call")).ok()?.try_into().ok()?,
            caller: caller.to_string(),
            caller_tenant: caller.tenant,
            callee: callee.to_string(),
            callee_tenant: callee.tenant,
            caller_intent: intent(offer),
            callee_intent: intent(answer),
            offered_suites: suites.map(number).collect::<Option<_>>()?,
            chosen_suite: number(answer.json.get("suite")?)?,
            commit: bytes(offer, "commit")?,
            epk_callee: bytes(answer, "epk")?,
            nonce_callee: bytes(answer, "nonce")?,
            ek_callee: hex::decode(answer.text_of("ek")).ok()?,
            epk_caller: bytes(reveal, "epk")?,
            nonce_caller: bytes(reveal, "nonce")?,
            ct: hex::decode(reveal.text_of("ct")).ok()?,
        })
    }

    /// The code that follows from what this device saw.
    pub fn security_code(&self) -> Option<SecurityCode> {
        self.signalled()?.security_code().ok()
    }

    /// The key schedules that follow, one for each shared secret that was handed over for the call.
    pub fn schedules(&self, evidence: &Evidence<'_>) -> Vec<KeySchedule> {
        let Some(signalled) = self.signalled() else { return Vec::new() };
        let agreed = evidence.keys.agreed().iter().filter(|(call, _, _)| *call == signalled.call_id);
        agreed.filter_map(|(_, z, _)| signalled.key_schedule(z).ok()).collect()
    }
}

/// A field of 32 bytes in hex.
pub fn bytes(message: &Message, key: &str) -> Option<Bytes32> {
    hex::decode(message.text_of(key)).ok()?.try_into().ok()
}

/// The intent of an offer or an answer; one that is missing counts as 0.
pub fn intent(message: &Message) -> u8 {
    message.json.get("intent").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok()).unwrap_or(0)
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok())
}
