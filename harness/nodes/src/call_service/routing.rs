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
            ringing,
            answered: None,
            media: media.clone(),
            intents: [*intent, 0],
            node: None,
            over: false,
        };
        self.routes.insert(call.clone(), route);
        self.deliver(&call, Role::Callee, offer);
    }

    /// A message of a call goes to the other side, unless the service has to act on it.
    pub(super) fn in_call(&mut self, from: &DeviceId, message: Message) {
        let Some(call) = message.call().map(str::to_owned) else { return };
        let Some(route) = self.routes.get(&call).filter(|r| !r.over) else { return };
        let from_caller = route.caller == *from;
        if !from_caller && route.answered.as_ref() != Some(from) && !route.ringing.contains(from) {
            return;
        }
        let (by, node) = (if from_caller { Role::Caller } else { Role::Callee }, route.node);
        if let (Message::SdpOffer { sdp, .. } | Message::SdpAnswer { sdp, .. }, Some(tamper)) =
            (&message, &mut self.setup.tamper)
        {
            tamper.announced(by, sdp);
        }
        let media = self.routes.get(&call).map(|route| route.media.clone()).unwrap_or_default();
        match (message, node) {
            (message @ Message::Answer { .. }, _) if !from_caller => self.answer(&call, from, message),
            (Message::SdpOffer { sdp, .. }, Some(node)) if from_caller => {
                self.to_node(node, &NodeMessage::Bridge { call, media, sdp });
            }
            (Message::SdpAnswer { sdp, .. }, Some(node)) if !from_caller => {
                self.to_node(node, &NodeMessage::CalleeAnswer { call, sdp });
            }
            (message @ (Message::HangUp { .. } | Message::Decline { .. }), _) => {
                self.end(&call, from, message)
            }
            (message, _) => self.deliver(&call, by.other(), message),
        }
    }

    /// The first answer counts; the other devices stop ringing.
    ///
    /// The path follows the intents as the service saw them, and whoever sits inside the service sees to that.
    fn answer(&mut self, call: &str, from: &DeviceId, message: Message) {
        if self.routes.get(call).is_none_or(|route| route.answered.is_some()) {
            return;
        }
        let answers = self.tampered(call, Role::Caller, message);
        let ends_media = self.setup.tamper.as_ref().is_some_and(|tamper| tamper.ends_media());
        let sealed_path = self.setup.sealed_path;
        let Some(route) = self.routes.get_mut(call) else { return };
        route.answered = Some(from.clone());
        if let Some((_, Message::Answer { intent, .. })) = answers.first() {
            route.intents[1] = *intent;
        }
        route.node = match (route.sealed(), sealed_path) {
            (false, _) => Some(Node::MediaProcessor),
            (true, Path::Forwarder) => Some(Node::Forwarder),
            (true, Path::Direct | Path::Relay) => ends_media.then_some(Node::Mallory),
        };
        let path = match route.node {
            None | Some(Node::Mallory) => sealed_path.word().to_owned(),
            Some(node) => node.word().to_owned(),
        };
        let others: Vec<DeviceId> = route.ringing.iter().filter(|d| *d != from).cloned().collect();
        for (to, message) in answers {
            self.hand_over(call, to, &message);
        }
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
        let (from_caller, node) = (route.caller == *from, route.node);
        let callees = route.answered.clone().map_or_else(|| route.ringing.clone(), |device| vec![device]);
        if from_caller {
            self.deliver(call, Role::Callee, message);
        } else {
            for device in callees.iter().filter(|device| *device != from) {
                let reason = "answered-elsewhere".to_owned();
                self.to_device(device, &Message::HangUp { call: call.to_owned(), reason });
            }
            self.deliver(call, Role::Caller, message);
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

    /// Delivers a message to a side, as Mallory leaves it.
    pub(super) fn deliver(&mut self, call: &str, to: Role, message: Message) {
        for (to, message) in self.tampered(call, to, message) {
            self.hand_over(call, to, &message);
        }
    }

    fn hand_over(&self, call: &str, to: Role, message: &Message) {
        let Some(route) = self.routes.get(call) else { return };
        match (to, &route.answered) {
            (Role::Caller, _) => self.to_device(&route.caller, message),
            (Role::Callee, Some(device)) => self.to_device(device, message),
            (Role::Callee, None) => route.ringing.iter().for_each(|device| self.to_device(device, message)),
        }
    }

    fn tampered(&mut self, call: &str, to: Role, message: Message) -> Vec<(Role, Message)> {
        match &mut self.setup.tamper {
            Some(tamper) => tamper.message(call, to, message),
            None => vec![(to, message)],
        }
    }
}
