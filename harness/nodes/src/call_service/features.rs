//! Features: refused by name in a sealed call, and really done in an ordinary one where they are modelled.

use model::identity::{DeviceId, Node};
use model::release::Feature;

use super::Body;
use crate::service_link::NodeMessage;
use crate::signalling::Message;

/// The reason with which a sealed call refuses a feature.
const SEALED_CALL: &str = "sealed-call";

impl Body {
    pub(super) fn invoke(&mut self, from: &DeviceId, call: &str, feature: &str, _with: &str) {
        let Some(route) = self.routes.get(call).filter(|r| r.holds(from)) else { return };
        let known = feature.parse::<Feature>().ok().filter(|f| !f.is_setting());
        let (result, reason) = match known {
            None => ("refused", "unknown-feature"),
            Some(f) if route.sealed() && self.setup.release.withholds(f) => ("refused", SEALED_CALL),
            Some(_) => {
                if let Some(node) = route.node {
                    let work = NodeMessage::Work { call: call.to_owned(), feature: feature.to_owned() };
                    self.to_node(node, &work);
                }
                ("accepted", "")
            }
        };
        self.to_device(
            from,
            &Message::Invoked {
                call: call.to_owned(),
                feature: feature.to_owned(),
                result: result.to_owned(),
                reason: reason.to_owned(),
            },
        );
    }

    /// Recording that an administrator has set up starts when an ordinary call is answered.
    pub(super) fn answered(&mut self, call: &str) {
        let Some(route) = self.routes.get(call) else { return };
        if self.setup.automatic_recording && !route.sealed() && route.node == Some(Node::MediaProcessor) {
            let work = NodeMessage::Work { call: call.to_owned(), feature: Feature::Recording.to_string() };
            self.to_node(Node::MediaProcessor, &work);
        }
    }
}
