//! The media processor: it ends every hop of an ordinary call and sends what each leg says to all the others.
//!
//! What opens on one leg goes out on every other one with payload, marker, timestamp and sequence number unchanged;
//! the payload type is that of the hop, the SSRC is fresh for each pair of leg and source. Nothing is ordered or
//! repaired, RTCP ends at each hop, and every packet that is not passed on is written down with the reason. Frames are
//! in the clear here.

mod call;
mod leg;
mod number;

use std::collections::BTreeMap;
use std::time::Duration;

use model::Kind;
use model::record::Held;
use net::Sleeper;
use tokio::sync::mpsc;

use crate::bridge::Ground;
use crate::engine::{EngineError, Incoming};
use crate::journal::{Holdings, held};
use crate::service_link::NodeMessage;
use call::Call;
use leg::Leg;
use number::Number;
pub use number::{PSTN, telephone};

/// A telephone rings this long before it is answered.
const RINGS_FOR: Duration = Duration::from_secs(1);

/// Everything that reaches the media processor.
enum Input {
    Message(NodeMessage),
    Packet(Arrival),
    Answered { call: String, number: String },
    HandOver(Holdings),
}

/// A packet that opened on a leg of a call.
struct Arrival {
    call: String,
    leg: String,
    packet: Incoming,
}

/// Starts the media processor on its connection from the call service.
pub fn start(ground: Ground, service: net::WebSocket) {
    let (inputs, queue) = mpsc::unbounded_channel();
    let (outbox, texts) = mpsc::unbounded_channel();
    let from_service = inputs.clone();
    let deliver = move |text: String| {
        serde_json::from_str(&text).map_or(true, |message| from_service.send(Input::Message(message)).is_ok())
    };
    crate::call_service::carry(service, texts, deliver, || {});
    let asked = inputs.clone();
    ground.journal.holder(move |answer| drop(asked.send(Input::HandOver(answer))));
    let body = Body { ground, outbox, inputs, calls: BTreeMap::new() };
    tokio::spawn(body.run(queue));
}

struct Body {
    ground: Ground,
    outbox: mpsc::UnboundedSender<String>,
    inputs: mpsc::UnboundedSender<Input>,
    calls: BTreeMap<String, Call>,
}

impl Body {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = queue.recv().await {
            match input {
                Input::Message(message) => self.message(message).await,
                Input::Packet(arrival) => self.packet(&arrival).await,
                Input::HandOver(answer) => drop(answer.send(self.held())),
                Input::Answered { call, number } => {
                    if self.calls.contains_key(&call) {
                        self.reply(&NodeMessage::Dialled { call, number });
                    }
                }
            }
        }
    }

    /// Its calls, and whoever is in them.
    fn held(&self) -> Vec<Held> {
        let call = |(id, call): (&String, &Call)| {
            let legs: Vec<&str> = call.legs.iter().map(|leg| leg.name.as_str()).collect();
            format!(" {id} with {}", legs.join(" "))
        };
        let calls: String = self.calls.iter().map(call).collect();
        vec![held(self.ground.link.tap(), "its calls", format!("calls:{calls}").as_bytes())]
    }

    async fn message(&mut self, message: NodeMessage) {
        let (call, done) = match message {
            NodeMessage::Join { call, leg, media, sdp } => {
                let done = self.join(&call, leg, &media, &sdp).await;
                (call, done)
            }
            NodeMessage::Invite { call, leg, media } => {
                let done = self.invite(&call, leg, &media).await;
                (call, done)
            }
            NodeMessage::LegAnswer { call, leg, sdp } => {
                let done = self.leg_answer(&call, &leg, &sdp).await;
                (call, done)
            }
            NodeMessage::Leave { call, leg } => {
                if let Some(state) = self.calls.get_mut(&call) {
                    state.leave(&leg).await;
                }
                return;
            }
            NodeMessage::Work { call, feature, keys } => {
                let state = self.calls.entry(call.clone()).or_default();
                return state.reads(&self.ground, &call, &feature, &keys);
            }
            NodeMessage::Dial { call, number } => return self.dial(call, number),
            NodeMessage::Release { call } => {
                if let Some(state) = self.calls.remove(&call) {
                    state.close().await;
                }
                return;
            }
            _ => return,
        };
        match done {
            Ok(()) => self.introduce(call).await,
            Err(error) => self.failed(call, &error),
        }
    }

    /// Every packet of every ordinary call passes here, in the clear: the one place to listen.
    async fn packet(&mut self, arrival: &Arrival) {
        if let Some(call) = self.calls.get_mut(&arrival.call) {
            call.pass(&self.ground, &arrival.leg, &arrival.packet).await;
        }
    }

    async fn join(
        &mut self,
        call: &str,
        leg: String,
        media: &[String],
        offer: &str,
    ) -> Result<(), EngineError> {
        let media = kinds(media);
        let (made, sdp) = Leg::answering(&self.ground, call, leg, &media, offer, self.arrivals()).await?;
        let joined = NodeMessage::Joined { call: call.to_owned(), leg: made.name.clone(), sdp };
        self.calls.entry(call.to_owned()).or_default().legs.push(made);
        self.reply(&joined);
        Ok(())
    }

    async fn invite(&mut self, call: &str, leg: String, media: &[String]) -> Result<(), EngineError> {
        let made = Leg::inviting(&self.ground, call, leg, &kinds(media), self.arrivals()).await?;
        self.calls.entry(call.to_owned()).or_default().legs.push(made);
        Ok(())
    }

    async fn leg_answer(&mut self, call: &str, leg: &str, sdp: &str) -> Result<(), EngineError> {
        let found = self.calls.get_mut(call).and_then(|state| state.legs.iter_mut().find(|l| l.name == leg));
        match found {
            Some(leg) => leg.answered(sdp).await,
            None => Ok(()),
        }
    }

    fn dial(&mut self, call: String, number: String) {
        let Some(script) = Number::new(&call, &number, &self.ground) else { return };
        self.calls.entry(call.clone()).or_default().number = Some(script);
        let (net, inputs) = (self.ground.net.clone(), self.inputs.clone());
        tokio::spawn(async move {
            net.sleep_until(net.now() + RINGS_FOR, Sleeper::Application).await;
            let _ = inputs.send(Input::Answered { call, number });
        });
    }

    /// Offers to each leg the streams of those whom it does not hear yet.
    async fn introduce(&mut self, call: String) {
        let Some(state) = self.calls.get_mut(&call) else { return };
        match state.introduce().await {
            Ok(offers) => {
                for (leg, sdp) in offers {
                    self.reply(&NodeMessage::Invited { call: call.clone(), leg, sdp });
                }
            }
            Err(error) => self.failed(call, &error),
        }
    }

    fn arrivals(&self) -> impl Fn(Arrival) -> bool + Send + use<> {
        let inputs = self.inputs.clone();
        move |arrival| inputs.send(Input::Packet(arrival)).is_ok()
    }

    fn failed(&self, call: String, error: &EngineError) {
        self.reply(&NodeMessage::Failed { call, reason: error.to_string() });
    }

    fn reply(&self, message: &NodeMessage) {
        let _ = self.outbox.send(message.text());
    }
}

fn kinds(media: &[String]) -> Vec<Kind> {
    media.iter().filter_map(|kind| kind.parse().ok()).collect()
}
