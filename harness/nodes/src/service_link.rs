//! Links inside the service: the call service tells a media node about the two legs of a call.
//!
//! They run over TLS and WebSocket like the signalling of devices, and are tapped like it.

use serde::{Deserialize, Serialize};

/// A message between the call service and a media node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum NodeMessage {
    /// A call begins: the caller's description.
    Bridge {
        /// The call.
        call: String,
        /// Kinds of media, in the order of the sections.
        media: Vec<String>,
        /// Offer of the caller's device.
        sdp: String,
    },
    /// The node's answer to the caller and its offer to the callee.
    Bridged {
        /// The call.
        call: String,
        /// Answer for the caller's device.
        answer: String,
        /// Offer for the callee's device.
        offer: String,
    },
    /// The callee's answer.
    CalleeAnswer {
        /// The call.
        call: String,
        /// Answer of the callee's device.
        sdp: String,
    },
    /// The first leg of an ordinary call: a device's description.
    Join {
        /// The call.
        call: String,
        /// Whose leg: the name of the device's access link.
        leg: String,
        /// Kinds of media, in the order of the sections.
        media: Vec<String>,
        /// Offer of the device.
        sdp: String,
    },
    /// The node's answer to [`NodeMessage::Join`].
    Joined {
        /// The call.
        call: String,
        /// Whose leg.
        leg: String,
        /// Answer for the device.
        sdp: String,
    },
    /// A further leg of an ordinary call.
    Invite {
        /// The call.
        call: String,
        /// Whose leg.
        leg: String,
        /// Kinds of media, in the order of the sections.
        media: Vec<String>,
    },
    /// The node's offer for a leg: the first one, or a further one because somebody's streams have come in addition.
    Invited {
        /// The call.
        call: String,
        /// Whose leg.
        leg: String,
        /// Offer for the device.
        sdp: String,
    },
    /// A device's answer to [`NodeMessage::Invited`].
    LegAnswer {
        /// The call.
        call: String,
        /// Whose leg.
        leg: String,
        /// Answer of the device.
        sdp: String,
    },
    /// A leg has left a call that goes on.
    Leave {
        /// The call.
        call: String,
        /// Whose leg.
        leg: String,
    },
    /// A telephone number is called.
    Dial {
        /// The call.
        call: String,
        /// Digits, with a plus before them or not.
        number: String,
    },
    /// The telephone number has answered.
    Dialled {
        /// The call.
        call: String,
        /// The number.
        number: String,
    },
    /// The call is over.
    Release {
        /// The call.
        call: String,
    },
    /// The work of a feature begins.
    Work {
        /// The call.
        call: String,
        /// Which feature.
        feature: String,
        /// Keys of a sealed call that a device handed over.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<HandedKey>,
    },
    /// The node could not do what it was asked to.
    Failed {
        /// The call.
        call: String,
        /// Why.
        reason: String,
    },
}

impl NodeMessage {
    /// The text that goes on the wire.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a message is JSON")
    }
}

/// An SFrame base key that a device has handed to the service. In JSON and in the opaque field it is the key id in
/// decimal, an equals sign and 32 hex digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct HandedKey {
    /// The key id.
    pub id: u64,
    /// The key.
    pub base_key: [u8; 16],
}

impl std::fmt::Debug for HandedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HandedKey({}, …)", self.id)
    }
}

impl From<HandedKey> for String {
    fn from(key: HandedKey) -> Self {
        format!("{}={}", key.id, hex::encode(key.base_key))
    }
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key id, an equals sign and 32 hex digits; write it like `0=00112233445566778899aabbccddeeff`")]
pub struct NoKey;

impl TryFrom<String> for HandedKey {
    type Error = NoKey;

    fn try_from(text: String) -> Result<Self, NoKey> {
        let (id, key) = text.split_once('=').ok_or(NoKey)?;
        let base_key = hex::decode(key).ok().and_then(|key| key.try_into().ok()).ok_or(NoKey)?;
        Ok(Self { id: id.parse().map_err(|_| NoKey)?, base_key })
    }
}

impl HandedKey {
    /// The keys in the data of an opaque message: nothing but keys with spaces between them, or none at all.
    pub fn all_in(data: &str) -> Vec<Self> {
        let keys: Result<Vec<Self>, NoKey> = data.split(' ').map(|key| key.to_owned().try_into()).collect();
        keys.unwrap_or_default()
    }
}

/// A message from a media node to the recorder, which does not answer: one JSON object per text message, like those
/// of signalling. Whoever holds the service's TLS secrets reads here what the service has heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum RecorderMessage {
    /// A frame for the recording of a call.
    Recorded {
        /// The call.
        call: String,
        /// Who sent it: the name of the device's access link; from the forwarder `caller` or `callee`.
        from: String,
        /// `audio`, `video` or `screen`.
        kind: String,
        /// The frame outside any seal, in hex.
        frame: String,
    },
    /// What was read of one stream in one second, for the transcript of a call.
    Transcribed {
        /// The call.
        call: String,
        /// Who sent it.
        from: String,
        /// `audio`, `video` or `screen`.
        kind: String,
        /// Whole seconds since the transcription began.
        second: u64,
        /// How many frames.
        frames: u32,
        /// How many bytes they have together.
        bytes: u64,
        /// SHA-256 of all of them, one after the other, in hex.
        sha256: String,
    },
}

impl RecorderMessage {
    /// The text that goes on the wire.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a message is JSON")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn handed_keys_are_read_as_they_are_written() {
        let keys = [HandedKey { id: 0, base_key: [1; 16] }, HandedKey { id: 5, base_key: [0xab; 16] }];
        let data = keys.clone().map(String::from).join(" ");
        assert_eq!(HandedKey::all_in(&data), keys);
        let work =
            NodeMessage::Work { call: "c".to_owned(), feature: "recording".to_owned(), keys: keys.into() };
        assert_eq!(serde_json::from_str::<NodeMessage>(&work.text()).expect("a message"), work);
        assert!(!format!("{work:?}").contains("abab"), "a key is not shown");
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_id("00112233445566778899aabbccddeeff")]
    #[case::short("0=0011")]
    #[case::no_hex("0=0011223344556677x899aabbccddeeff")]
    #[case::one_of_two("0=00112233445566778899aabbccddeeff hello")]
    #[case::negative("-1=00112233445566778899aabbccddeeff")]
    fn what_is_not_all_keys_is_none(#[case] data: &str) {
        assert_eq!(HandedKey::all_in(data), []);
    }
}
