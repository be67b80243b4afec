//! One call on its way through the service.

use model::identity::{DeviceId, Node};
use model::plan::Path;
use model::{Role, UserId};

use super::Body;
use crate::service_link::NodeMessage;
use crate::signalling::Message;

/// A call as the service knows it.
pub(super) struct Route {
    caller: DeviceId,
    callee: UserId,
    /// Devices that ring.
    ringing: Vec<DeviceId>,
    answered: Option<DeviceId>,
    media: Vec<String>,
    intents: [u8; 2],
    /// The media node that ends the hops; none where SDP goes from device to device.
    pub(super) node: Option<Node>,
    over: bool,
}

impl Route {
    pub(super) fn holds(&self, device: &DeviceId) -> bool {
        !self.over && (self.caller == *device || self.answered.as_ref() == Some(device))
    }

    /// Whether both intents came as 1.
    pub(super) fn sealed(&self) -> bool {
        self.intents == [1, 1]
    }
}

impl Body {
    pub(super) fn offer(&mut self, from: &DeviceId, offer: Message) {
        let Message::Offer { call, to, media, intent, .. } = &offer else { return };
        let call = call.clone();
        let callee = to.first().and_then(|first| first.parse::<UserId>().ok());
        let known = callee.filter(|user| self.setup.directory.contains_key(user));
        let Some(callee) = known else {
            let reason = "unknown-user".to_owned();
            return self.to_device(from, &Message::HangUp { call, reason });
        };
        if self.routes.contains_key(&call) {
            return;
        }
        let busy = self.routes.values().any(|r| !r.over && (r.callee == callee || r.caller.user == callee));
        let ringing = self.devices_of(&callee);
        let refusal = match (busy, ringing.is_empty()) {
            (true, _) => Some("busy"),
            (_, true) => Some("no-answer"),
            _ => None,
        };
        if let Some(reason) = refusal {
            return self.to_device(from, &Message::HangUp { call, reason: reason.to_owned() });
        }
        let route = Route {
            caller: from.clone(),
            callee,
            ringing: ringing.clone(),
            answered: None,
            media: media.clone(),
            intents: [*intent, 0],
            node: None,
            over: false,
        };
        self.routes.insert(call.clone(), route);
        for message in self.tampered(&call, Role::Callee, offer) {
            for device in &ringing {
                self.to_device(device, &message);
            }
        }
    }

    /// A message of a call goes to the other side, unless the service has to act on it.
    pub(super) fn in_call(&mut self, from: &DeviceId, message: Message) {
        let Some(call) = message.call().map(str::to_owned) else { return };
        let Some(route) = self.routes.get(&call).filter(|r| !r.over) else { return };
        let from_caller = route.caller == *from;
        if !from_caller && route.answered.as_ref() != Some(from) && !route.ringing.contains(from) {
            return;
        }
        match message {
            Message::Answer { intent, .. } if !from_caller => self.answer(&call, from, intent, message),
            Message::SdpOffer { sdp, .. } if from_caller && route.node.is_some() => {
                let (node, media) = (route.node.unwrap_or(Node::Forwarder), route.media.clone());
                self.to_node(node, &NodeMessage::Bridge { call, media, sdp });
            }
            Message::SdpAnswer { sdp, .. } if !from_caller && route.node.is_some() => {
                self.to_node(route.node.unwrap_or(Node::Forwarder), &NodeMessage::CalleeAnswer { call, sdp });
            }
            Message::HangUp { .. } | Message::Decline { .. } => self.end(&call, from, message),
            message => self.deliver(&call, if from_caller { Role::Callee } else { Role::Caller }, message),
        }
    }

    /// The first answer counts; the other devices stop ringing.
    fn answer(&mut self, call: &str, from: &DeviceId, intent: u8, message: Message) {
        let sealed_path = self.setup.sealed_path;
        let Some(route) = self.routes.get_mut(call).filter(|r| r.answered.is_none()) else { return };
        route.answered = Some(from.clone());
        route.intents[1] = intent;
        route.node = match (route.sealed(), sealed_path) {
            (false, _) => Some(Node::MediaProcessor),
            (true, Path::Forwarder) => Some(Node::Forwarder),
            (true, Path::Direct | Path::Relay) => None,
        };
        let path = route.node.map_or(sealed_path.word(), Node::word).to_owned();
        let others: Vec<DeviceId> = route.ringing.iter().filter(|d| *d != from).cloned().collect();
        self.deliver(call, Role::Caller, message);
        for device in others {
            let reason = "answered-elsewhere".to_owned();
            self.to_device(&device, &Message::HangUp { call: call.to_owned(), reason });
        }
        for role in [Role::Callee, Role::Caller] {
            self.deliver(call, role, Message::Route { call: call.to_owned(), path: path.clone() });
        }
        self.answered(call);
    }

    fn end(&mut self, call: &str, from: &DeviceId, message: Message) {
        let Some(route) = self.routes.get_mut(call) else { return };
        route.over = true;
        let (caller, node) = (route.caller.clone(), route.node);
        let callees = route.answered.clone().map_or_else(|| route.ringing.clone(), |device| vec![device]);
        if caller == *from {
            for message in self.tampered(call, Role::Callee, message) {
                for device in &callees {
                    self.to_device(device, &message);
                }
            }
        } else {
            for device in callees.iter().filter(|device| *device != from) {
                let reason = "answered-elsewhere".to_owned();
                self.to_device(device, &Message::HangUp { call: call.to_owned(), reason });
            }
            for message in self.tampered(call, Role::Caller, message) {
                self.to_device(&caller, &message);
            }
        }
        if let Some(node) = node {
            self.to_node(node, &NodeMessage::Release { call: call.to_owned() });
        }
    }

    pub(super) fn from_node(&mut self, node: Node, message: NodeMessage) {
        match message {
            NodeMessage::Bridged { call, answer, offer } => {
                self.deliver(&call, Role::Caller, Message::SdpAnswer { call: call.clone(), sdp: answer });
                self.deliver(&call, Role::Callee, Message::SdpOffer { call: call.clone(), sdp: offer });
            }
            NodeMessage::Failed { call, reason } => {
                self.setup.journal.remark(node.word(), reason);
                for role in [Role::Caller, Role::Callee] {
                    let reason = "client-failed".to_owned();
                    self.deliver(&call, role, Message::HangUp { call: call.clone(), reason });
                }
            }
            _ => {}
        }
    }

    pub(super) fn deliver(&mut self, call: &str, to: Role, message: Message) {
        for message in self.tampered(call, to, message) {
            let Some(route) = self.routes.get(call) else { return };
            match (to, &route.answered) {
                (Role::Caller, _) => self.to_device(&route.caller, &message),
                (Role::Callee, Some(device)) => self.to_device(device, &message),
                (Role::Callee, None) => {
                    route.ringing.iter().for_each(|device| self.to_device(device, &message))
                }
            }
        }
    }

    fn tampered(&mut self, call: &str, to: Role, message: Message) -> Vec<Message> {
        match &mut self.setup.tamper {
            Some(tamper) => tamper.message(call, to, message),
            None => vec![message],
        }
    }
}
