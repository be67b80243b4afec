//! Signalling messages: one JSON object per WebSocket text message, key `type`, bytes in lower-case hex,
//! unknown fields ignored (design, section 1.8).

use serde::{Deserialize, Serialize};

/// A message between a device and the call service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// A device says who and what it is.
    Register {
        /// `user@tenant`.
        party: String,
        /// The name of the device; empty for a user with one.
        device: String,
        /// What it runs on.
        platform: String,
        /// `current` or `outdated`.
        version: String,
        /// The preference that the device knows.
        e2ee: bool,
    },
    /// The caller's device calls.
    Offer {
        /// 32 hex digits.
        call: String,
        /// The caller.
        from: String,
        /// Who is called, as written by the caller; several for a group call.
        to: Vec<String>,
        /// Kinds of media.
        media: Vec<String>,
        /// `unscheduled` or `scheduled`.
        kind: String,
        /// The sealing profile.
        profile: String,
        /// 1 sealed, 0 ordinary; absent counts as 0.
        #[serde(default)]
        intent: u8,
        /// Offered suites.
        #[serde(default)]
        suites: Vec<u16>,
        /// The commitment, 64 hex digits; empty where there is none.
        #[serde(default)]
        commit: String,
    },
    /// The callee's device rings.
    Ringing {
        /// The call.
        call: String,
    },
    /// The callee's person has accepted.
    Answer {
        /// The call.
        call: String,
        /// 1 sealed, 0 ordinary; absent counts as 0.
        #[serde(default)]
        intent: u8,
        /// The chosen suite; 0 where nothing is agreed.
        #[serde(default)]
        suite: u16,
        /// The callee's agreement key, 64 hex digits.
        #[serde(default)]
        epk: String,
        /// The callee's nonce, 64 hex digits.
        #[serde(default)]
        nonce: String,
        /// Empty in suite 1.
        #[serde(default)]
        ek: String,
    },
    /// The call service names the path.
    Route {
        /// The call.
        call: String,
        /// `direct`, `relay`, `forwarder` or `media-processor`.
        path: String,
    },
    /// An offer of RFC 3264.
    SdpOffer {
        /// The call.
        call: String,
        /// The description.
        sdp: String,
    },
    /// An answer of RFC 3264.
    SdpAnswer {
        /// The call.
        call: String,
        /// The description.
        sdp: String,
    },
    /// The caller opens its commitment.
    Reveal {
        /// The call.
        call: String,
        /// The caller's agreement key, 64 hex digits.
        epk: String,
        /// The caller's nonce, 64 hex digits.
        nonce: String,
        /// Empty in suite 1.
        #[serde(default)]
        ct: String,
        /// The caller's confirmation, 64 hex digits.
        confirmation: String,
    },
    /// The callee's confirmation.
    Confirm {
        /// The call.
        call: String,
        /// 64 hex digits.
        confirmation: String,
    },
    /// The callee's person says no.
    Decline {
        /// The call.
        call: String,
    },
    /// A device leaves the call.
    HangUp {
        /// The call.
        call: String,
        /// Why; empty when a person hung up.
        #[serde(default)]
        reason: String,
    },
    /// A feature is asked for.
    Invoke {
        /// The call.
        call: String,
        /// Which.
        feature: String,
        /// The target, where the feature has one.
        #[serde(default)]
        with: String,
    },
    /// What became of it.
    Invoked {
        /// The call.
        call: String,
        /// Which.
        feature: String,
        /// `works` or `refused`.
        result: String,
        /// Why refused.
        #[serde(default)]
        reason: String,
    },
    /// The user's preference: from a device when it is changed, to the other devices of the user.
    Preference {
        /// The new value.
        e2ee: bool,
    },
    /// A chat message, which is never sealed.
    Chat {
        /// To whom; towards the receiver, from whom.
        to: String,
        /// The text.
        text: String,
    },
    /// A field that the service carries without reading it.
    Opaque {
        /// The call.
        call: String,
        /// The client's own.
        data: String,
    },
    /// A request that cannot be served.
    Error {
        /// Why.
        reason: String,
    },
}

impl Message {
    /// The word that stands under `type`.
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self).expect("a message is JSON");
        value["type"].as_str().unwrap_or_default().to_owned()
    }

    /// The call that the message belongs to.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Offer { call, .. }
            | Self::Ringing { call }
            | Self::Answer { call, .. }
            | Self::Route { call, .. }
            | Self::SdpOffer { call, .. }
            | Self::SdpAnswer { call, .. }
            | Self::Reveal { call, .. }
            | Self::Confirm { call, .. }
            | Self::Decline { call }
            | Self::HangUp { call, .. }
            | Self::Invoke { call, .. }
            | Self::Invoked { call, .. }
            | Self::Opaque { call, .. } => Some(call),
            Self::Register { .. } | Self::Preference { .. } | Self::Chat { .. } | Self::Error { .. } => None,
        }
    }

    /// The text that goes on the wire.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a message is JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_ignored_and_missing_intents_count_as_none() {
        let text = r#"{"type":"answer","call":"00","extra":[1]}"#;
        let message: Message = serde_json::from_str(text).expect("an answer");
        assert!(matches!(&message, Message::Answer { intent: 0, suite: 0, .. }), "{message:?}");
        assert_eq!((message.name().as_str(), message.call()), ("answer", Some("00")));
    }

    #[test]
    fn a_type_that_nobody_knows_is_refused() {
        assert!(serde_json::from_str::<Message>(r#"{"type":"shout"}"#).is_err());
        let text = Message::SdpOffer { call: "ab".to_owned(), sdp: "v=0".to_owned() }.text();
        assert_eq!(text, r#"{"type":"sdp-offer","call":"ab","sdp":"v=0"}"#);
    }
}
