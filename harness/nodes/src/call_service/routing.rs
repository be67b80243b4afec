//! One call on its way through the service.

use model::identity::{DeviceId, Node};
use model::plan::Path;
use model::{Role, UserId};

use super::Body;
use super::conference::Conference;
use crate::service_link::NodeMessage;
use crate::signalling::Message;

/// A call as the service knows it.
pub(super) struct Route {
    pub(super) caller: DeviceId,
    /// Devices that ring.
    pub(super) ringing: Vec<DeviceId>,
    /// The device that answered first.
    pub(super) answered: Option<DeviceId>,
    pub(super) media: Vec<String>,
    pub(super) profile: String,
    intents: [u8; 2],
    /// The media node that ends the hops; none where SDP goes from device to device.
    pub(super) node: Option<Node>,
    pub(super) over: bool,
    /// Who is in it, once it is an ordinary call that was answered.
    pub(super) conference: Conference,
}

impl Route {
    pub(super) fn holds(&self, device: &DeviceId) -> bool {
        let pair = || self.caller == *device || self.answered.as_ref() == Some(device);
        !self.over && if self.in_conference() { self.conference.members.contains(device) } else { pair() }
    }

    /// Whether the user is in the call or rung into it.
    pub(super) fn involves(&self, user: &UserId) -> bool {
        let pair = std::iter::once(&self.caller).chain(&self.answered);
        let mut there = pair.filter(|device| self.holds(device)).chain(&self.conference.members);
        !self.over && (there.any(|d| d.user == *user) || self.ringing.iter().any(|d| d.user == *user))
    }

    /// Whether `caller` waits for `callee` alone to answer.
    fn rings(&self, callee: &UserId, caller: &UserId) -> bool {
        let alone = !self.ringing.is_empty() && self.ringing.iter().all(|device| device.user == *callee);
        !self.over && self.answered.is_none() && self.caller.user == *caller && alone
    }

    /// Whether the media processor ends its hops.
    pub(super) fn in_conference(&self) -> bool {
        !self.over && self.node == Some(Node::MediaProcessor)
    }

    /// Whether both intents came as 1.
    pub(super) fn sealed(&self) -> bool {
        self.intents == [1, 1]
    }
}

impl Body {
    pub(super) fn offer(&mut self, from: &DeviceId, offer: Message) {
        let Message::Offer { call, to, media, profile, intent, .. } = &offer else { return };
        let call = call.clone();
        if self.routes.contains_key(&call) {
            return;
        }
        let number = match to.as_slice() {
            [only] => only.strip_prefix("tel:").map(str::to_owned),
            _ => None,
        };
        let ringing = match number.as_ref().map_or_else(|| self.reached(&from.user, to), |_| Ok(Vec::new())) {
            Ok(ringing) => ringing,
            Err(reason) => {
                return self.to_device(from, &Message::HangUp { call, reason: reason.to_owned() });
            }
        };
        let route = Route {
            caller: from.clone(),
            ringing,
            answered: None,
            media: media.clone(),
            profile: profile.clone(),
            intents: [*intent, 0],
            node: None,
            over: false,
            conference: Conference::default(),
        };
        self.routes.insert(call.clone(), route);
        match number {
            Some(number) => self.dials(&call, &number),
            None => self.deliver(&call, Role::Callee, offer),
        }
    }

    /// The devices of everybody in `to` whom `from` calls, or why nobody is called at all.
    fn reached(&self, from: &UserId, to: &[String]) -> Result<Vec<DeviceId>, &'static str> {
        let users: Vec<UserId> = to.iter().filter_map(|user| user.parse().ok()).collect();
        let known = users.iter().all(|user| self.setup.directory.contains_key(user));
        if users.is_empty() || users.len() < to.len() || !known {
            return Err("unknown-user");
        }
        // Of two offers that cross the devices choose one themselves.
        let crosses = |route: &Route, user: &UserId| users.len() == 1 && route.rings(from, user);
        let holds = |user: &UserId| self.routes.values().any(|r| r.involves(user) && !crosses(r, user));
        if users.iter().any(holds) {
            return Err("busy");
        }
        let devices: Vec<DeviceId> = users.iter().flat_map(|user| self.devices_of(user)).collect();
        if devices.is_empty() { Err("no-answer") } else { Ok(devices) }
    }

    /// A message of a call goes to the other side, unless the service has to act on it.
    pub(super) fn in_call(&mut self, from: &DeviceId, message: Message) {
        let Some(call) = message.call().map(str::to_owned) else { return };
        let Some(route) = self.routes.get(&call).filter(|r| !r.over) else { return };
        if !route.holds(from) && !route.ringing.contains(from) {
            return;
        }
        let from_caller = route.caller == *from;
        let (by, node) = (if from_caller { Role::Caller } else { Role::Callee }, route.node);
        if let (Message::SdpOffer { sdp, .. } | Message::SdpAnswer { sdp, .. }, Some(tamper)) =
            (&message, &mut self.setup.tamper)
        {
            tamper.announced(by, sdp);
        }
        let media = self.routes.get(&call).map(|route| route.media.clone()).unwrap_or_default();
        match (message, node) {
            (message @ Message::Answer { .. }, _) if !from_caller => self.answer(&call, from, message),
            (Message::SdpOffer { sdp, .. }, Some(Node::MediaProcessor)) if from_caller => {
                self.described(&call, from, sdp);
            }
            (Message::SdpAnswer { sdp, .. }, Some(node @ Node::MediaProcessor)) => {
                self.to_node(node, &NodeMessage::LegAnswer { call, leg: from.to_string(), sdp });
            }
            (Message::Ringing { .. }, Some(Node::MediaProcessor)) => self.rings(&call, from),
            (message @ (Message::HangUp { .. } | Message::Decline { .. }), Some(Node::MediaProcessor)) => {
                self.leaves(&call, from, message);
            }
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
        if self.routes.get(call).is_none_or(|route| route.answered.is_some() || route.in_conference()) {
            return self.joins(call, from);
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
        let conference = route.in_conference();
        if conference {
            let caller = route.caller.clone();
            route.conference.begins(&caller, Some(from));
        }
        for (to, message) in answers {
            self.hand_over(call, to, &message);
        }
        // Nobody joins a sealed call: whoever else was called stops ringing.
        self.stops_ringing(call, from, |device| !conference || device.user == from.user);
        for role in [Role::Callee, Role::Caller] {
            self.deliver(call, role, Message::Route { call: call.to_owned(), path: path.clone() });
        }
        self.answered(call);
    }

    fn end(&mut self, call: &str, from: &DeviceId, message: Message) {
        let Some(route) = self.routes.get_mut(call) else { return };
        let from_caller = route.caller == *from;
        if !from_caller && route.answered.is_none() && route.ringing.iter().any(|d| d.user != from.user) {
            return self.declines(call, from);
        }
        route.over = true;
        let dialled = route.conference.number.as_ref().map(|_| Node::MediaProcessor);
        let node = route.node.or(dialled);
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

    pub(super) fn node_says(&mut self, node: Node, message: NodeMessage) {
        match message {
            NodeMessage::Bridged { call, answer, offer } => {
                self.deliver(&call, Role::Caller, Message::SdpAnswer { call: call.clone(), sdp: answer });
                self.deliver(&call, Role::Callee, Message::SdpOffer { call: call.clone(), sdp: offer });
            }
            NodeMessage::Joined { call, leg, sdp } => {
                self.for_leg(&call, &leg, Message::SdpAnswer { call: call.clone(), sdp });
            }
            NodeMessage::Invited { call, leg, sdp } => {
                self.for_leg(&call, &leg, Message::SdpOffer { call: call.clone(), sdp });
            }
            NodeMessage::Dialled { call, number } => self.dialled(&call, &number),
            NodeMessage::Failed { call, reason } if node == Node::MediaProcessor => {
                self.setup.journal.remark(node.word(), reason);
                let reason = "client-failed".to_owned();
                self.dissolves(&call, Message::HangUp { call: call.clone(), reason });
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
