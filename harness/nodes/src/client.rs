//! The reference client: one device of one user, driven by a person's commands and by what arrives.
//!
//! Invariant: everything that happens to the device passes one queue, so that the order of events is the order of
//! the network. In a sealed call it never sends and never plays an unsealed frame, unless a flaw says so.

mod agree;
mod call;
mod crossing;
mod described;
mod ending;
mod features;
pub mod flaws;
mod held;
mod intent;
mod media;
mod own;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::flaw::Flaw;
use model::identity::DeviceId;
use model::outcome::Reason;
use model::plan::{CallKind, Profile};
use model::record::Claimed;
use model::release::{Feature, Platform, Release, TenantKind, Version};
use model::{Kind, Role, UserId};
use net::{AccessLink, Network};
use tokio::sync::{mpsc, oneshot, watch};

use crate::engine::{Incoming, RelayUse};
use crate::entropy::Entropy;
use crate::journal::{Holdings, Journal};
use crate::policy_client::PolicySource;
use crate::signalling::Message;
use call::Call;

/// What the client declares that it can do: profiles, kinds of media, and what else a scenario may ask for.
pub const CAPABILITIES: &[&str] =
    &["frames", "dtls", "audio", "video", "screen", "relay", "keys-export", "ledger"];

/// What a client is made of.
pub struct ClientSetup {
    /// Time.
    pub net: Arc<dyn Network>,
    /// Its way into the network.
    pub link: Arc<dyn AccessLink>,
    /// Where it writes what it did.
    pub journal: Arc<Journal>,
    /// Its randomness.
    pub entropy: Arc<Entropy>,
    /// Whose device it is.
    pub device: DeviceId,
    /// What it runs on.
    pub platform: Platform,
    /// How old it is.
    pub version: Version,
    /// Whether its user is in the preview ring.
    pub preview_ring: bool,
    /// Whether its user is under compliance recording.
    pub compliance_recording: bool,
    /// The kind of its user's tenant.
    pub tenant_kind: TenantKind,
    /// The release that it is of.
    pub release: Arc<Release>,
    /// The stored preference.
    pub e2ee: bool,
    /// Settings of its user that a sealed call does not apply.
    pub settings: Vec<Feature>,
    /// How it seals.
    pub profile: Profile,
    /// Its deliberate fault.
    pub flaw: Option<Flaw>,
    /// The relay that it has to use when the path is `relay`.
    pub relay: Option<RelayUse>,
    /// Where it asks for its user's policy.
    pub policy: Arc<dyn PolicySource>,
    /// A call that is not connected this long after the answer has ended.
    pub set_up_timeout: Duration,
}

/// How long a caller's device lets it ring.
const RING_FOR: Duration = Duration::from_secs(30);

/// What a person does.
pub enum Command {
    /// Places a call.
    Call {
        /// Who is called: users or one telephone number.
        to: Vec<String>,
        /// What the call carries.
        media: Vec<Kind>,
        /// Whether it was scheduled.
        kind: CallKind,
        /// Gets the call id.
        placed: oneshot::Sender<String>,
    },
    /// Takes the call.
    Answer(String),
    /// Says no.
    Decline(String),
    /// Leaves the call.
    HangUp(String),
    /// Talks.
    Talk {
        /// In which call.
        call: String,
        /// For how long.
        time: Duration,
        /// Told when the last frame has gone out, or when there is nothing to say it into.
        done: oneshot::Sender<()>,
    },
    /// Asks for a feature.
    Invoke {
        /// In which call.
        call: String,
        /// Which.
        feature: Feature,
        /// The target.
        with: Option<UserId>,
        /// Gets the answer.
        answer: oneshot::Sender<Invoked>,
    },
    /// Turns the option on or off.
    Toggle(bool),
    /// Sends a chat message.
    Chat {
        /// To whom.
        to: UserId,
        /// What.
        text: String,
    },
}

/// What became of an invoked feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoked {
    /// Whether the control was shown.
    pub shown: bool,
    /// `works`, `accepted` or `refused`.
    pub result: String,
    /// Why refused.
    pub reason: String,
}

/// How far a call has come at one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The caller waits, or the callee's device rings.
    Ringing,
    /// Answered; media do not flow yet.
    Answered,
    /// Media can flow.
    Up,
    /// Over, with the reason if a person did not hang up.
    Over(Option<Reason>),
}

/// A call as a person sees it at one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Caller or callee.
    pub role: Role,
    /// How far it has come.
    pub stage: Stage,
}

/// Everything that reaches a device.
enum Input {
    Command(Command),
    Signal(Message),
    SignallingLost,
    Connected(String),
    Refused(String),
    Packet(String, Incoming),
    Tick { call: String, kind: Kind, last: Option<oneshot::Sender<()>> },
    Deadline(String, Clock),
    HandOver(Holdings),
}

/// Which time has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Ringing,
    SetUp,
}

/// A handle to a running client.
#[derive(Clone)]
pub struct Client {
    device: DeviceId,
    hands: Hands,
    calls: watch::Receiver<BTreeMap<String, Seen>>,
}

/// Where the commands of a person go.
#[derive(Clone)]
enum Hands {
    Own(mpsc::UnboundedSender<Input>),
    Others(mpsc::UnboundedSender<Command>),
}

impl Client {
    /// Starts a client on a signalling connection and registers the device.
    pub fn start(setup: ClientSetup, signalling: net::WebSocket) -> Self {
        Self::on(setup, |inputs| wire::carry(signalling, inputs))
    }

    /// The same, with the signalling messages in two queues that somebody else carries.
    pub fn start_on_queues(
        setup: ClientSetup,
        outbox: mpsc::UnboundedSender<Message>,
        inbox: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        Self::on(setup, |inputs| {
            wire::take(inbox, inputs);
            outbox
        })
    }

    /// A handle to a client that somebody else wrote: it gets every command, and `calls` says how far it has come.
    pub fn others(
        device: DeviceId,
        commands: mpsc::UnboundedSender<Command>,
        calls: watch::Receiver<BTreeMap<String, Seen>>,
    ) -> Self {
        Self { device, hands: Hands::Others(commands), calls }
    }

    fn on(
        setup: ClientSetup,
        carry: impl FnOnce(mpsc::UnboundedSender<Input>) -> mpsc::UnboundedSender<Message>,
    ) -> Self {
        let (inputs, queue) = mpsc::unbounded_channel();
        let (seen, calls) = watch::channel(BTreeMap::new());
        let device = setup.device.clone();
        let outbox = carry(inputs.clone());
        let asked = inputs.clone();
        setup.journal.holder(move |answer| drop(asked.send(Input::HandOver(answer))));
        let deviation = flaws::deviation(setup.flaw);
        let mut body = Body {
            setup,
            deviation,
            outbox,
            inputs: inputs.clone(),
            seen,
            calls: BTreeMap::new(),
            pending: BTreeMap::new(),
        };
        body.register();
        tokio::spawn(body.run(queue));
        Self { device, hands: Hands::Own(inputs), calls }
    }

    /// Whose device it is.
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// Does something; a client that has stopped does nothing.
    pub fn command(&self, command: Command) {
        let _ = match &self.hands {
            Hands::Own(inputs) => inputs.send(Input::Command(command)).is_ok(),
            Hands::Others(commands) => commands.send(command).is_ok(),
        };
    }

    /// The calls that the device knows, by call id, and how to wait for a change.
    pub fn calls(&self) -> watch::Receiver<BTreeMap<String, Seen>> {
        self.calls.clone()
    }
}

/// The device behind the handle.
struct Body {
    setup: ClientSetup,
    deviation: Box<dyn flaws::Deviation>,
    outbox: mpsc::UnboundedSender<Message>,
    inputs: mpsc::UnboundedSender<Input>,
    seen: watch::Sender<BTreeMap<String, Seen>>,
    calls: BTreeMap<String, Call>,
    /// Invocations without an answer, by call and feature.
    pending: BTreeMap<(String, Feature), (bool, oneshot::Sender<Invoked>)>,
}

impl Body {
    fn register(&mut self) {
        self.send(Message::Register {
            party: self.setup.device.user.to_string(),
            device: self.setup.device.device.clone().unwrap_or_default(),
            platform: self.setup.platform.to_string(),
            version: self.setup.version.to_string(),
            e2ee: self.setup.e2ee,
        });
    }

    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = queue.recv().await {
            match input {
                Input::Command(command) => self.person(command).await,
                Input::Signal(message) => self.signal(message).await,
                Input::SignallingLost => self.remark("the signalling connection is gone"),
                Input::Connected(call) => self.connected(&call).await,
                Input::Refused(call) => self.refused(&call).await,
                Input::Packet(call, packet) => self.packet(&call, &packet).await,
                Input::Tick { call, kind, last } => self.tick(&call, kind, last).await,
                Input::Deadline(call, clock) => self.deadline(&call, clock).await,
                Input::HandOver(answer) => drop(answer.send(self.held())),
            }
        }
    }

    async fn person(&mut self, command: Command) {
        match command {
            Command::Call { to, media, kind, placed } => self.place(to, media, kind, placed).await,
            Command::Answer(call) => self.answer(&call).await,
            Command::Decline(call) => self.decline(&call).await,
            Command::HangUp(call) => self.leave(&call, None).await,
            Command::Talk { call, time, done } => self.talk(&call, time, done),
            Command::Invoke { call, feature, with, answer } => self.invoke(&call, feature, with, answer),
            Command::Toggle(e2ee) => {
                self.setup.e2ee = e2ee;
                self.send(Message::Preference { e2ee });
            }
            Command::Chat { to, text } => self.send(Message::Chat { to: to.to_string(), text }),
        }
    }

    async fn signal(&mut self, message: Message) {
        match message {
            Message::Offer { .. } => self.offered(message).await,
            Message::Answer { call, intent, suite, epk, nonce, ek } => {
                self.answered(&call, agree::AnswerTerms { intent, suite, epk, nonce, ek }).await;
            }
            Message::Ringing { call } => self.claim(&call, Claimed::Ringing),
            Message::Route { call, path } => self.routed(&call, &path).await,
            Message::SdpOffer { call, sdp } => self.sdp_offered(&call, &sdp).await,
            Message::SdpAnswer { call, sdp } => self.sdp_answered(&call, &sdp).await,
            Message::Reveal { call, epk, nonce, ct, confirmation } => {
                self.revealed(&call, agree::RevealTerms { epk, nonce, ct, confirmation }).await;
            }
            Message::Confirm { call, confirmation } => self.confirmed(&call, &confirmation).await,
            Message::Decline { call } => self.ended_by_other(&call, Some(Reason::Declined)).await,
            Message::HangUp { call, reason } => self.ended_by_other(&call, reason.parse().ok()).await,
            Message::Invoked { call, feature, result, reason } => {
                self.invoked(&call, &feature, result, reason)
            }
            Message::Preference { e2ee } => self.setup.e2ee = e2ee,
            Message::Chat { text, .. } => self.chatted(&text),
            Message::Error { reason } => {
                self.remark(&format!("the call service refused a request: {reason}"))
            }
            Message::Opaque { call, data } => self.opaque(&call, &data).await,
            Message::Register { .. } | Message::Invoke { .. } => {}
        }
    }

    fn send(&self, message: Message) {
        let _ = self.outbox.send(message);
    }

    fn claim(&self, call: &str, claim: Claimed) {
        self.setup.journal.claim(&self.setup.device, call, claim);
    }

    fn remark(&self, text: &str) {
        self.setup.journal.remark(self.setup.link.tap(), text);
    }

    fn wake(&self, call: &str, clock: Clock, after: Duration) {
        let (net, inputs, call) = (self.setup.net.clone(), self.inputs.clone(), call.to_owned());
        let until = net.now() + after;
        tokio::spawn(async move {
            net.sleep_until(until, net::Sleeper::Application).await;
            let _ = inputs.send(Input::Deadline(call, clock));
        });
    }

    fn stage(&self, call: &str, stage: Stage) {
        let Some(role) = self.calls.get(call).map(|c| c.role) else { return };
        self.seen.send_modify(|seen| {
            seen.insert(call.to_owned(), Seen { role, stage });
        });
    }
}
