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
