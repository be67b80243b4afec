//! The call service: registers devices, carries their signalling, names the path and answers for features.
//!
//! Invariant: it decides from the intents as they came to it, and holds no media key but one that a device hands it.

mod conference;
mod features;
mod held;
mod routing;
mod session;

pub(crate) use session::carry;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use model::identity::{DeviceId, Node};
use model::plan::Path;
use model::release::Release;
use model::{Role, UserId};
use net::network::Boxed;
use net::{Network, WebSocket};
use tokio::sync::mpsc;

use crate::journal::{Holdings, Journal};
use crate::service_link::{HandedKey, NodeMessage};
use crate::signalling::Message;
use routing::Route;

/// Alters signalling inside the service: Mallory.
pub trait Tamper: Send {
    /// What is delivered in place of `message`, which was going to the device of `to` in the call, and to whom.
    fn message(&mut self, call: &str, to: Role, message: Message) -> Vec<(Role, Message)>;

    /// Whether she ends the media of both legs herself, whatever path the devices are told.
    fn ends_media(&self) -> bool;

    /// A side has described itself.
    fn announced(&mut self, by: Role, sdp: &str);
}

/// Connects to a media node.
pub type Dial = Box<dyn FnOnce() -> Boxed<'static, io::Result<WebSocket>> + Send>;

/// What the call service is made of.
pub struct CallServiceSetup {
    /// Time.
    pub net: Arc<dyn Network>,
    /// Where it writes what it did.
    pub journal: Arc<Journal>,
    /// The release that it is of.
    pub release: Arc<Release>,
    /// Everybody who can be called, and whether the stored preference is on.
    pub directory: BTreeMap<UserId, bool>,
    /// The path of sealed calls.
    pub sealed_path: Path,
    /// Mallory inside the service.
    pub tamper: Option<Box<dyn Tamper>>,
    /// Whether an administrator has set up recording of every call.
    pub automatic_recording: bool,
}

/// Everything that reaches the call service.
enum Input {
    Opened(u64, mpsc::UnboundedSender<String>),
    Text(u64, String),
    Closed(u64),
    Node(Node, NodeMessage),
    HandOver(Holdings),
}

/// A running call service.
#[derive(Clone)]
pub struct CallService {
    inputs: mpsc::UnboundedSender<Input>,
}

impl CallService {
    /// Starts the service; `nodes` are its ways to the media nodes, each taken when a call first needs the node.
    pub fn start(setup: CallServiceSetup, nodes: Vec<(Node, Dial)>) -> Self {
        let (inputs, queue) = mpsc::unbounded_channel();
        let asked = inputs.clone();
        setup.journal.holder(move |answer| drop(asked.send(Input::HandOver(answer))));
        let link = |(node, dial)| (node, session::node(node, dial, setup.journal.clone(), inputs.clone()));
        let nodes = nodes.into_iter().map(link).collect();
        let body = Body {
            setup,
            connections: BTreeMap::new(),
            devices: BTreeMap::new(),
            routes: BTreeMap::new(),
            nodes,
            handed: BTreeMap::new(),
        };
        tokio::spawn(body.run(queue));
        Self { inputs }
    }

    /// Takes one device's signalling connection.
    pub fn serve(&self, number: u64, socket: WebSocket) {
        session::device(number, socket, self.inputs.clone());
    }
}

/// One signalling connection.
struct Connection {
    outbox: mpsc::UnboundedSender<String>,
    device: Option<DeviceId>,
}

struct Body {
    setup: CallServiceSetup,
    connections: BTreeMap<u64, Connection>,
    devices: BTreeMap<DeviceId, u64>,
    routes: BTreeMap<String, Route>,
    nodes: BTreeMap<Node, mpsc::UnboundedSender<String>>,
    /// Keys of sealed calls that devices handed over, by call.
    handed: BTreeMap<String, Vec<HandedKey>>,
}

impl Body {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = queue.recv().await {
            match input {
                Input::Opened(number, outbox) => {
                    self.connections.insert(number, Connection { outbox, device: None });
                }
                Input::Text(number, text) => match serde_json::from_str(&text) {
                    Ok(message) => self.device_says(number, message),
                    Err(_) => self.refuse(number, "unreadable-message"),
                },
                Input::Closed(number) => self.closed(number),
                Input::Node(node, message) => self.node_says(node, message),
                Input::HandOver(answer) => drop(answer.send(self.held())),
            }
        }
    }

    fn device_says(&mut self, number: u64, message: Message) {
        if let Message::Register { party, device, e2ee, .. } = &message {
            return self.register(number, party, device, *e2ee);
        }
        let Some(device) = self.connections.get(&number).and_then(|c| c.device.clone()) else {
            return self.refuse(number, "not-registered");
        };
        match message {
            Message::Preference { e2ee } => self.preference(&device, e2ee),
            Message::Chat { to, text } => self.chat(&device, &to, text),
            Message::Offer { .. } => self.offer(&device, message),
            Message::Opaque { ref call, ref data } => {
                self.handed(&device, call, data);
                self.in_call(&device, message);
            }
            Message::Invoke { call, feature, with } => self.invoke(&device, &call, &feature, &with),
            message => self.in_call(&device, message),
        }
    }

    fn register(&mut self, number: u64, party: &str, device: &str, e2ee: bool) {
        let known = party.parse::<UserId>().ok().filter(|user| self.setup.directory.contains_key(user));
        let Some(user) = known else { return self.refuse(number, "unknown-user") };
        let device = DeviceId { user: user.clone(), device: (!device.is_empty()).then(|| device.to_owned()) };
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.device = Some(device.clone());
        }
        self.devices.insert(device.clone(), number);
        // The service synchronises the preference: what it has stored goes before what the device thinks.
        let stored = self.setup.directory.get(&user).copied().unwrap_or_default();
        if stored != e2ee {
            self.to_device(&device, &Message::Preference { e2ee: stored });
        }
    }

    fn preference(&mut self, from: &DeviceId, e2ee: bool) {
        self.setup.directory.insert(from.user.clone(), e2ee);
        let others: Vec<DeviceId> = self.devices_of(&from.user).into_iter().filter(|d| d != from).collect();
        for device in others {
            self.to_device(&device, &Message::Preference { e2ee });
        }
    }

    fn chat(&self, from: &DeviceId, to: &str, text: String) {
        let Ok(user) = to.parse::<UserId>() else { return };
        let message = Message::Chat { to: from.user.to_string(), text };
        for device in self.devices_of(&user) {
            self.to_device(&device, &message);
        }
    }

    fn devices_of(&self, user: &UserId) -> Vec<DeviceId> {
        self.devices.keys().filter(|device| device.user == *user).cloned().collect()
    }

    fn refuse(&self, number: u64, reason: &str) {
        if let Some(connection) = self.connections.get(&number) {
            let _ = connection.outbox.send(Message::Error { reason: reason.to_owned() }.text());
        }
    }

    fn to_device(&self, device: &DeviceId, message: &Message) {
        let connection = self.devices.get(device).and_then(|number| self.connections.get(number));
        if let Some(connection) = connection {
            let _ = connection.outbox.send(message.text());
        }
    }

    fn to_node(&self, node: Node, message: &NodeMessage) {
        if let Some(outbox) = self.nodes.get(&node) {
            let _ = outbox.send(message.text());
        }
    }

    fn closed(&mut self, number: u64) {
        let Some(device) = self.connections.remove(&number).and_then(|c| c.device) else { return };
        self.devices.remove(&device);
        let calls: Vec<String> =
            self.routes.iter().filter(|(_, r)| r.holds(&device)).map(|(c, _)| c.clone()).collect();
        for call in calls {
            self.in_call(&device, Message::HangUp { call, reason: "client-failed".to_owned() });
        }
    }
}
