//! Ordinary calls: whoever answers joins, anybody may bring in one more or pass the call on, and it goes on while two
//! are in it.
//!
//! Invariant: who is in a call here has a leg at the media processor, or is about to.

use model::identity::{DeviceId, Node};
use model::plan::CallKind;
use model::release::Feature;
use model::{Role, UserId};

use super::Body;
use super::routing::Route;
use crate::service_link::NodeMessage;
use crate::signalling::Message;

/// The reason with which a device that has passed its call on is released.
const TRANSFERRED: &str = "transferred";

/// Who is in an ordinary call.
#[derive(Default)]
pub(super) struct Conference {
    /// Devices, from their answer on; the caller's from the first answer.
    pub(super) members: Vec<DeviceId>,
    /// Everybody who has been in the call: nobody is in it twice.
    been: Vec<UserId>,
    /// The telephone that is in it.
    pub(super) number: Option<String>,
    /// Whether the caller's description has gone to the media processor: no leg comes before the caller's.
    described: bool,
    invitations: Vec<Invitation>,
}

/// Somebody is being rung into a running call.
struct Invitation {
    by: DeviceId,
    feature: Feature,
    user: UserId,
}

impl Conference {
    /// The first answer: by a device, or by a telephone.
    pub(super) fn begins(&mut self, caller: &DeviceId, callee: Option<&DeviceId>) {
        for device in [Some(caller), callee].into_iter().flatten() {
            self.takes_in(device);
        }
    }

    fn takes_in(&mut self, device: &DeviceId) {
        self.members.push(device.clone());
        self.been.push(device.user.clone());
    }

    fn size(&self) -> usize {
        self.members.len() + usize::from(self.number.is_some())
    }
}

impl Body {
    /// The caller has described itself: its leg and those of all who have answered so far are made.
    pub(super) fn described(&mut self, call: &str, from: &DeviceId, sdp: String) {
        let Some(route) = self.routes.get_mut(call).filter(|r| !r.conference.described) else { return };
        route.conference.described = true;
        let (media, leg) = (route.media.clone(), from.to_string());
        let others: Vec<DeviceId> = route.conference.members.iter().filter(|d| *d != from).cloned().collect();
        let join = NodeMessage::Join { call: call.to_owned(), leg, media, sdp };
        self.to_node(Node::MediaProcessor, &join);
        others.iter().for_each(|device| self.invite_leg(call, device));
    }

    fn invite_leg(&self, call: &str, device: &DeviceId) {
        let Some(route) = self.routes.get(call).filter(|r| r.conference.described) else { return };
        let (leg, media) = (device.to_string(), route.media.clone());
        self.to_node(Node::MediaProcessor, &NodeMessage::Invite { call: call.to_owned(), leg, media });
    }

    /// One more party answers a call that is already going on.
    pub(super) fn joins(&mut self, call: &str, from: &DeviceId) {
        let Some(route) = self.routes.get_mut(call).filter(|r| r.in_conference()) else { return };
        if !route.ringing.contains(from) {
            return;
        }
        route.conference.takes_in(from);
        let invited = route.conference.invitations.iter().position(|i| i.user == from.user);
        let invitation = invited.map(|at| route.conference.invitations.remove(at));
        self.stops_ringing(call, from, |device| device.user == from.user);
        let path = Node::MediaProcessor.word().to_owned();
        self.to_device(from, &Message::Route { call: call.to_owned(), path });
        self.invite_leg(call, from);
        let Some(Invitation { by, feature, .. }) = invitation else { return };
        self.invoked(&by, call, feature.word(), "works", "");
        let member = self.routes.get(call).is_some_and(|r| r.conference.members.contains(&by));
        if feature == Feature::TransferBlind && member {
            let reason = TRANSFERRED.to_owned();
            self.to_device(&by, &Message::HangUp { call: call.to_owned(), reason: reason.clone() });
            self.leaves(call, &by, Message::HangUp { call: call.to_owned(), reason });
        }
    }

    /// `from` has answered or declined: the devices that `these` picks ring no more.
    pub(super) fn stops_ringing(&mut self, call: &str, from: &DeviceId, these: impl Fn(&DeviceId) -> bool) {
        let Some(route) = self.routes.get_mut(call) else { return };
        let (silent, rest): (Vec<DeviceId>, Vec<DeviceId>) =
            std::mem::take(&mut route.ringing).into_iter().partition(these);
        route.ringing = rest;
        for device in silent.iter().filter(|device| *device != from) {
            let reason = "answered-elsewhere".to_owned();
            self.to_device(device, &Message::HangUp { call: call.to_owned(), reason });
        }
    }

    /// A device rings: whoever had it rung is told.
    pub(super) fn rings(&mut self, call: &str, from: &DeviceId) {
        let Some(route) = self.routes.get(call) else { return };
        let invitation = route.conference.invitations.iter().find(|i| i.user == from.user);
        let rung_by = invitation.map_or(&route.caller, |i| &i.by).clone();
        if route.conference.members.contains(&rung_by) {
            self.tell_member(call, &rung_by, Message::Ringing { call: call.to_owned() });
        }
    }

    /// A person says no while others ring or talk.
    pub(super) fn declines(&mut self, call: &str, from: &DeviceId) {
        self.stops_ringing(call, from, |device| device.user == from.user);
        let Some(route) = self.routes.get_mut(call) else { return };
        let invited = route.conference.invitations.iter().position(|i| i.user == from.user);
        if let Some(Invitation { by, feature, .. }) =
            invited.map(|at| route.conference.invitations.remove(at))
        {
            self.invoked(&by, call, feature.word(), "refused", "declined");
        }
    }

    /// A device leaves; with fewer than two left the call is over.
    pub(super) fn leaves(&mut self, call: &str, from: &DeviceId, message: Message) {
        let Some(route) = self.routes.get_mut(call) else { return };
        if !route.conference.members.contains(from) {
            return self.declines(call, from);
        }
        route.conference.members.retain(|device| device != from);
        if route.conference.size() >= 2 {
            let leave = NodeMessage::Leave { call: call.to_owned(), leg: from.to_string() };
            return self.to_node(Node::MediaProcessor, &leave);
        }
        self.dissolves(call, message);
    }

    /// The call is over for everybody who is still in it or rung into it.
    pub(super) fn dissolves(&mut self, call: &str, message: Message) {
        let Some(route) = self.routes.get_mut(call) else { return };
        route.over = true;
        let members = std::mem::take(&mut route.conference.members);
        let ringing = std::mem::take(&mut route.ringing);
        for Invitation { by, feature, .. } in std::mem::take(&mut route.conference.invitations) {
            self.invoked(&by, call, feature.word(), "refused", "no-answer");
        }
        for device in &members {
            self.tell_member(call, device, message.clone());
        }
        for device in &ringing {
            self.to_device(device, &Message::HangUp { call: call.to_owned(), reason: String::new() });
        }
        self.to_node(Node::MediaProcessor, &NodeMessage::Release { call: call.to_owned() });
    }

    /// Rings somebody into an ordinary call; what becomes of it is told to `by` when that person has decided.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub(super) fn invite(
        &mut self,
        by: &DeviceId,
        call: &str,
        feature: Feature,
        with: &str,
    ) -> Result<(), &'static str> {
        let known = with.parse::<UserId>().ok().filter(|user| self.setup.directory.contains_key(user));
        let user = known.ok_or("unknown-user")?;
        let devices = self.devices_of(&user);
        let busy = self.routes.values().any(|route| route.involves(&user));
        let route = self.routes.get_mut(call).filter(|route| route.in_conference()).ok_or("no-call")?;
        if route.conference.been.contains(&user) || busy {
            return Err("busy");
        }
        if devices.is_empty() {
            return Err("no-answer");
        }
        let offer = Message::Offer {
            call: call.to_owned(),
            from: by.user.to_string(),
            to: vec![user.to_string()],
            media: route.media.clone(),
            kind: CallKind::Unscheduled.to_string(),
            profile: route.profile.clone(),
            intent: 0,
            suites: Vec::new(),
            commit: String::new(),
        };
        route.ringing.extend(devices.iter().cloned());
        route.conference.invitations.push(Invitation { by: by.clone(), feature, user });
        devices.iter().for_each(|device| self.to_device(device, &offer));
        Ok(())
    }

    /// A telephone number is called: the media processor rings it.
    pub(super) fn dials(&mut self, call: &str, number: &str) {
        if let Some(route) = self.routes.get_mut(call) {
            route.conference.number = Some(number.to_owned());
        }
        let dial = NodeMessage::Dial { call: call.to_owned(), number: number.to_owned() };
        self.to_node(Node::MediaProcessor, &dial);
        self.deliver(call, Role::Caller, Message::Ringing { call: call.to_owned() });
    }

    /// The telephone has answered.
    pub(super) fn dialled(&mut self, call: &str, number: &str) {
        let expected =
            |r: &&mut Route| !r.over && r.node.is_none() && r.conference.number.as_deref() == Some(number);
        let Some(route) = self.routes.get_mut(call).filter(expected) else { return };
        route.node = Some(Node::MediaProcessor);
        let caller = route.caller.clone();
        route.conference.begins(&caller, None);
        let (epk, nonce, ek) = Default::default();
        let answer = Message::Answer { call: call.to_owned(), intent: 0, suite: 0, epk, nonce, ek };
        let path = Node::MediaProcessor.word().to_owned();
        self.to_device(&caller, &answer);
        self.to_device(&caller, &Message::Route { call: call.to_owned(), path });
        self.answered(call);
    }

    /// A message of the media processor for the device of a leg.
    pub(super) fn for_leg(&mut self, call: &str, leg: &str, message: Message) {
        let Ok(device) = leg.parse::<DeviceId>() else { return };
        if self.routes.get(call).is_some_and(|route| route.holds(&device)) {
            self.tell_member(call, &device, message);
        }
    }

    /// Delivers to a device in a call; Mallory knows two sides, the caller and whoever answered first.
    fn tell_member(&mut self, call: &str, device: &DeviceId, message: Message) {
        let Some(route) = self.routes.get(call) else { return };
        if route.caller == *device {
            self.deliver(call, Role::Caller, message);
        } else if route.answered.as_ref() == Some(device) {
            self.deliver(call, Role::Callee, message);
        } else {
            self.to_device(device, &message);
        }
    }
}
