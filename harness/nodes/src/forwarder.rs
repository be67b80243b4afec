//! The forwarder: it ends both hops of a sealed call and passes on what it cannot open.
//!
//! Invariant: it holds no key of the devices but those that a device has handed to the service. Where Mallory ends the
//! media of both legs herself, she is one of these too.

use std::collections::BTreeMap;

use model::record::{DroppedBy, Held};
use model::{Kind, Role};
use tokio::sync::mpsc;

use crate::bridge::{Bridge, Ground};
use crate::engine::Incoming;
use crate::journal::{Holdings, held};
use crate::reading::Reading;
use crate::service_link::NodeMessage;

/// Everything that reaches the forwarder.
enum Input {
    Message(NodeMessage),
    Packet(String, Role, Incoming),
    HandOver(Holdings),
}

/// Starts the forwarder on its connection from the call service.
pub fn start(ground: Ground, service: net::WebSocket) {
    let (inputs, queue) = mpsc::unbounded_channel();
    let (outbox, texts) = mpsc::unbounded_channel();
    let from_service = inputs.clone();
    let deliver = move |text: String| {
        serde_json::from_str(&text).map_or(true, |message| from_service.send(Input::Message(message)).is_ok())
    };
    crate::call_service::carry(service, texts, deliver, || {});
    if ground.dropped_by == DroppedBy::Forwarder {
        let asked = inputs.clone();
        ground.journal.holder(move |answer| drop(asked.send(Input::HandOver(answer))));
    }
    let (packets, mut arriving) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((call, from, packet)) = arriving.recv().await {
            if inputs.send(Input::Packet(call, from, packet)).is_err() {
                break;
            }
        }
    });
    let body = Body { ground, outbox, packets, bridges: BTreeMap::new(), readings: BTreeMap::new() };
    tokio::spawn(body.run(queue));
}

struct Body {
    ground: Ground,
    outbox: mpsc::UnboundedSender<String>,
    packets: mpsc::UnboundedSender<(String, Role, Incoming)>,
    bridges: BTreeMap<String, Bridge>,
    /// Calls whose keys a device has handed to the service, so that they can be read here.
    readings: BTreeMap<String, Reading>,
}

impl Body {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = queue.recv().await {
            match input {
                Input::Message(message) => self.message(message).await,
                Input::HandOver(answer) => drop(answer.send(self.held())),
                Input::Packet(call, from, packet) => {
                    if let Some(reading) = self.readings.get_mut(&call) {
                        reading.packet(self.ground.net.now(), from.word(), &packet);
                    }
                    if let Some(bridge) = self.bridges.get(&call) {
                        bridge.pass(from, packet).await;
                    }
                }
            }
        }
    }

    /// Its calls, and keys that were handed over and are not gone.
    fn held(&self) -> Vec<Held> {
        let calls: Vec<&str> = self.bridges.keys().map(String::as_str).collect();
        let calls = ("its calls".to_owned(), format!("calls: {}", calls.join(" ")).into_bytes());
        let keys = self.readings.iter().flat_map(|(call, reading)| {
            reading.base_keys().map(move |key| (format!("a key of call {call}"), key.to_vec()))
        });
        let owner = self.ground.link.tap();
        std::iter::once(calls).chain(keys).map(|(what, bytes)| held(owner, what, &bytes)).collect()
    }

    async fn message(&mut self, message: NodeMessage) {
        match message {
            NodeMessage::Bridge { call, media, sdp } => self.bridge(call, &media, &sdp).await,
            NodeMessage::CalleeAnswer { call, sdp } => {
                let Some(bridge) = self.bridges.get(&call) else { return };
                if let Err(error) = bridge.accept(&sdp).await {
                    self.reply(&NodeMessage::Failed { call, reason: error.to_string() });
                }
            }
            NodeMessage::Work { call, feature, keys } if !keys.is_empty() => {
                let Some(recorder) = self.ground.recorder.clone() else { return };
                let reading = self.readings.entry(call.clone());
                let reading = reading.or_insert_with(|| Reading::new(&call, recorder));
                reading.begin(&feature, self.ground.net.now(), &keys);
            }
            NodeMessage::Release { call } => {
                if let Some(reading) = self.readings.remove(&call) {
                    reading.end();
                }
                if let Some(bridge) = self.bridges.remove(&call) {
                    bridge.close().await;
                }
            }
            _ => {}
        }
    }

    async fn bridge(&mut self, call: String, media: &[String], offer: &str) {
        let media: Vec<Kind> = media.iter().filter_map(|kind| kind.parse().ok()).collect();
        let made = Bridge::new(self.ground.clone(), &call, &media, offer, self.packets.clone()).await;
        match made {
            Ok((bridge, answer, offer)) => {
                self.bridges.insert(call.clone(), bridge);
                self.reply(&NodeMessage::Bridged { call, answer, offer });
            }
            Err(error) => self.reply(&NodeMessage::Failed { call, reason: error.to_string() }),
        }
    }

    fn reply(&self, message: &NodeMessage) {
        let _ = self.outbox.send(message.text());
    }
}
