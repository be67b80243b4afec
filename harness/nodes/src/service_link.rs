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
