//! Features: refused by name in a sealed call, and really done in an ordinary one where they are modelled.

use model::identity::{DeviceId, Node};
use model::release::Feature;

use super::Body;
use crate::service_link::{HandedKey, NodeMessage};
use crate::signalling::Message;

/// The reason with which a sealed call refuses a feature.
const SEALED_CALL: &str = "sealed-call";

impl Body {
    pub(super) fn invoke(&mut self, from: &DeviceId, call: &str, feature: &str, with: &str) {
        let Some(route) = self.routes.get(call).filter(|r| r.holds(from)) else { return };
        let known = feature.parse::<Feature>().ok().filter(|f| !f.is_setting());
        let (result, reason) = match known {
            None => ("refused", "unknown-feature"),
            Some(f) if self.reads(call, f) => ("works", ""),
            Some(f) if route.sealed() && self.setup.release.withholds(f) => ("refused", SEALED_CALL),
            Some(f @ (Feature::AddParticipant | Feature::TransferBlind)) if route.in_conference() => {
                // The person who is rung decides: only then is the invocation answered.
                match self.invite(from, call, f, with) {
                    Ok(()) => return,
                    Err(reason) => ("refused", reason),
                }
            }
            Some(_) => ("accepted", ""),
        };
        self.invoked(from, call, feature, result, reason);
    }

    /// Tells a device what became of the feature that it asked for.
    pub(super) fn invoked(&self, to: &DeviceId, call: &str, feature: &str, result: &str, reason: &str) {
        let [call, feature, result, reason] = [call, feature, result, reason].map(str::to_owned);
        self.to_device(to, &Message::Invoked { call, feature, result, reason });
    }

    /// Recording that an administrator has set up starts when an ordinary call is answered.
    pub(super) fn answered(&mut self, call: &str) {
        let Some(route) = self.routes.get(call) else { return };
        if self.setup.automatic_recording && !route.sealed() {
            self.reads(call, Feature::Recording);
        }
    }

    /// Sets a media node to reading a call, if the feature is work of that kind and the node can do it: the media
    /// processor has every frame in the clear, the forwarder needs keys that a device has handed over.
    fn reads(&self, call: &str, feature: Feature) -> bool {
        let node = self.routes.get(call).and_then(|route| route.node);
        let keys = self.handed.get(call).cloned().unwrap_or_default();
        let node = match (feature, node) {
            (Feature::Recording | Feature::Transcription, Some(node @ Node::MediaProcessor)) => node,
            (Feature::Recording, Some(node @ Node::Forwarder)) if !keys.is_empty() => node,
            _ => return false,
        };
        let work = NodeMessage::Work { call: call.to_owned(), feature: feature.to_string(), keys };
        self.to_node(node, &work);
        true
    }

    /// Keys that a device of the call hands over in the opaque field are the service's from then on.
    pub(super) fn handed(&mut self, from: &DeviceId, call: &str, data: &str) {
        if self.routes.get(call).is_some_and(|route| route.holds(from)) {
            self.handed.entry(call.to_owned()).or_default().extend(HandedKey::all_in(data));
        }
    }
}
