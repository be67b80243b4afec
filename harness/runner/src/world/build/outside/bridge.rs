//! Carries a person's commands to a driver, and what happens there to the journal and the call service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adapters::protocol::{Ask, Event, Invocation, LedgerLine, Placed};
use adapters::{Access, Fault, Happening};
use model::Role;
use model::outcome::Reason;
use model::plan::PolicyValue;
use model::record::{Blamed, Claimed};
use net::WebSocket;
use nodes::client::{Command, Invoked, Seen, Stage};
use nodes::journal::{FrameLine, Journal};
use nodes::policy_client::PolicySource;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::{ANSWERS_WITHIN, Outside, blamed};

/// One driver's device.
pub(super) struct Bridge {
    pub(super) journal: Arc<Journal>,
    pub(super) access: Access,
    pub(super) policy: Arc<dyn PolicySource>,
    pub(super) outside: Arc<Outside>,
    /// Calls whose way leads through the relay.
    pub(super) relayed: BTreeSet<String>,
    pub(super) seen: watch::Sender<BTreeMap<String, Seen>>,
}

impl Bridge {
    /// Runs until the world lets go of the client.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut happenings: mpsc::UnboundedReceiver<Happening>,
        socket: WebSocket,
    ) {
        let (mut sender, mut receiver) = socket.split();
        let (outbox, mut queue) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(text) = queue.recv().await {
                if sender.send(&text).await.is_err() {
                    return;
                }
            }
        });
        let (inbox, mut arrived) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Ok(Some(text)) = receiver.recv().await {
                if inbox.send(text).is_err() {
                    return;
                }
            }
        });
        loop {
            tokio::select! {
                biased;
                Some(happening) = happenings.recv() => match happening {
                    Happening::Event(event) => self.event(event, &outbox).await,
                    Happening::Fault(fault) => self.failed(&fault, &outbox).await,
                },
                Some(text) = arrived.recv() => self.arrived(&text).await,
                command = commands.recv() => match command {
                    Some(command) => self.person(command).await,
                    None => return,
                },
            }
        }
    }

    async fn policy(&self) -> String {
        let user = &self.outside.record.device.user;
        let policy = self.policy.effective(user).await.unwrap_or(PolicyValue::Disabled);
        policy.to_string()
    }

    /// Asks without waiting here; `then` gets what came of it.
    fn ask(&self, ask: Ask, deadline: Duration, then: impl FnOnce(Result<Value, Fault>) + Send + 'static) {
        let (outside, journal) = (self.outside.clone(), self.journal.clone());
        tokio::spawn(async move {
            let answer: Result<Value, Fault> = outside.driver.ask(ask, deadline).await;
            if let Err(fault @ (Fault::Refused { .. } | Fault::Misshapen { .. })) = &answer {
                journal.stumble(Blamed::Driver, blamed(&outside.record.device, fault));
            }
            then(answer);
        });
    }

    async fn person(&self, command: Command) {
        match command {
            Command::Call { to, media, kind, placed } => {
                let policy = self.policy().await;
                let seen = self.seen.clone();
                self.ask(
                    Ask::Place { to, media, kind: kind.to_string(), policy },
                    ANSWERS_WITHIN,
                    move |answer| {
                        let answer =
                            answer.ok().and_then(|value| serde_json::from_value::<Placed>(value).ok());
                        if let Some(Placed { call }) = answer {
                            begin(&seen, &call, Role::Caller);
                            let _ = placed.send(call);
                        }
                    },
                );
            }
            Command::Answer(call) => {
                let policy = self.policy().await;
                self.ask(Ask::Answer { call, policy }, ANSWERS_WITHIN, drop);
            }
            Command::Decline(call) => self.ask(Ask::Decline { call }, ANSWERS_WITHIN, drop),
            Command::HangUp(call) => self.ask(Ask::HangUp { call }, ANSWERS_WITHIN, drop),
            Command::Talk { call, time, done } => {
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                let up = self.seen.borrow().get(&call).is_some_and(|seen| seen.stage == Stage::Up);
                if up {
                    let told = move |_| done.send(()).unwrap_or_default();
                    self.ask(Ask::Talk { call, ms }, time + ANSWERS_WITHIN, told);
                } else {
                    let _ = done.send(());
                }
            }
            Command::Invoke { call, feature, with, answer } => {
                let with = with.map(|user| user.to_string()).unwrap_or_default();
                let ask = Ask::Invoke { call, feature: feature.to_string(), with };
                self.ask(ask, ANSWERS_WITHIN, move |value| invoked(value, answer));
            }
            Command::Toggle(e2ee) => self.ask(Ask::Toggle { e2ee }, ANSWERS_WITHIN, drop),
            Command::Chat { to, text } => {
                self.ask(Ask::Chat { to: to.to_string(), text }, ANSWERS_WITHIN, drop);
            }
        }
    }

    /// A message for the client; addresses in descriptions are those of its access link.
    async fn arrived(&mut self, text: &str) {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return };
        let call = message["call"].as_str().unwrap_or_default().to_owned();
        if message["type"] == "route" && message["path"] == "relay" {
            self.relayed.insert(call.clone());
        }
        if let Some(sdp) = sdp_of(&message) {
            match self.access.inward(&sdp, self.relayed.contains(&call)) {
                Ok(sdp) => message["sdp"] = json!(sdp),
                Err(error) => return self.journal.remark(&self.tap(), error.to_string()),
            }
        }
        let mut policy = None;
        if message["type"] == "offer" {
            begin(&self.seen, &call, Role::Callee);
            policy = Some(self.policy().await);
        }
        self.ask(Ask::Signal { message, policy }, ANSWERS_WITHIN, drop);
    }

    async fn event(&self, event: Event, outbox: &mpsc::UnboundedSender<String>) {
        match event {
            Event::Signal { mut message } => {
                if message["type"] == "offer" {
                    // It may be over before `place` is answered, where two call each other.
                    begin(&self.seen, message["call"].as_str().unwrap_or_default(), Role::Caller);
                }
                if let Some(sdp) = sdp_of(&message) {
                    let call = message["call"].as_str().unwrap_or_default();
                    match self.access.outward(call, &sdp, self.relayed.contains(call)) {
                        Ok(sdp) => message["sdp"] = json!(sdp),
                        Err(error) => {
                            let device = &self.outside.record.device;
                            return self.journal.stumble(Blamed::Driver, format!("{device}: {error}"));
                        }
                    }
                }
                let _ = outbox.send(message.to_string());
            }
            Event::Claim { call, claim } => {
                self.staged(&call, &claim);
                if let Claimed::Ended { .. } | Claimed::Connected = claim {
                    self.take_keys().await;
                }
                self.journal.claim(&self.outside.record.device, &call, claim);
            }
            Event::Frame(LedgerLine { call, direction, kind, index, bytes, sha256 }) => {
                let line = FrameLine { direction, kind, index, bytes, sha256 };
                self.journal.hashed_frame(&self.outside.record.device, &call, line);
            }
            Event::Log { text } => self.journal.remark(&self.tap(), text),
        }
    }

    /// What a person would see of the call.
    fn staged(&self, call: &str, claim: &Claimed) {
        self.seen.send_if_modified(|seen| {
            let Some(call) = seen.get_mut(call) else { return false };
            call.stage = match (claim, call.stage) {
                (Claimed::Ended { reason, .. }, _) => Stage::Over(*reason),
                (Claimed::Connected, Stage::Ringing | Stage::Answered) => Stage::Up,
                (Claimed::Answered, Stage::Ringing) => Stage::Answered,
                // It also rings where somebody is brought into a call that is up.
                _ => return false,
            };
            true
        });
    }

    /// Keys are taken as soon as there are any and again at the end, so that a client that dies half-way has told them.
    async fn take_keys(&self) {
        let (outside, journal) = (self.outside.clone(), self.journal.clone());
        tokio::spawn(async move { outside.take_keys(&journal).await });
    }

    /// The driver is gone: its calls are over, and the call service is told, as it is when a device loses power.
    async fn failed(&self, fault: &Fault, outbox: &mpsc::UnboundedSender<String>) {
        let device = &self.outside.record.device;
        let mut text = blamed(device, fault);
        if matches!(fault, Fault::Ended(_)) {
            text.push_str(&format!(" ({})", self.outside.driver.ended().await));
        }
        if let Some(words) = self.outside.driver.last_words().await {
            text.push_str(&format!("; its last words: {words}"));
        }
        self.journal.stumble(Blamed::Driver, text);
        let calls: Vec<String> = self.seen.borrow().keys().cloned().collect();
        for call in calls {
            let reason = Reason::ClientFailed;
            let _ =
                outbox.send(json!({ "type": "hang-up", "call": call, "reason": reason.word() }).to_string());
            self.seen.send_modify(|seen| {
                if let Some(seen) = seen.get_mut(&call) {
                    seen.stage = Stage::Over(Some(reason));
                }
            });
        }
        self.outside.driver.kill().await;
    }

    fn tap(&self) -> String {
        self.outside.record.device.to_string()
    }
}

impl Outside {
    /// Reads what the client exports into the parties' key file. Every client is asked: keys of frames come also from one
    /// that cannot tell the keys of its hops.
    pub(crate) async fn take_keys(&self, journal: &Journal) {
        let asked = self.driver.ask::<adapters::protocol::Keys>(Ask::Keys {}, ANSWERS_WITHIN).await;
        let device = &self.record.device;
        let read = match asked {
            Ok(keys) => adapters::keys::exported(&keys, self.folder.path()),
            // A client that exports no hop keys may have no others.
            Err(Fault::Refused { .. }) if !self.exports_keys => return,
            Err(fault @ (Fault::Refused { .. } | Fault::Misshapen { .. })) => Err(fault.to_string()),
            // Told where the driver failed.
            Err(_) => return,
        };
        match read {
            Ok(lines) => {
                self.exported.store(lines.len() as u64, Ordering::Relaxed);
                for line in lines {
                    journal.key(nodes::journal::Owner::Parties, line);
                }
            }
            Err(why) => {
                let text = format!(
                    "{device}: the keys cannot be read ({why}); write them to a file in the session's folder"
                );
                journal.stumble(Blamed::Driver, text);
            }
        }
    }
}

fn sdp_of(message: &Value) -> Option<String> {
    let described = message["type"] == "sdp-offer" || message["type"] == "sdp-answer";
    message["sdp"].as_str().filter(|_| described).map(str::to_owned)
}

fn begin(seen: &watch::Sender<BTreeMap<String, Seen>>, call: &str, role: Role) {
    seen.send_modify(|seen| {
        seen.entry(call.to_owned()).or_insert(Seen { role, stage: Stage::Ringing });
    });
}

fn invoked(value: Result<Value, Fault>, answer: oneshot::Sender<Invoked>) {
    let told = value.ok().and_then(|value| serde_json::from_value::<Invocation>(value).ok());
    if let Some(Invocation { shown, result, reason }) = told {
        let _ = answer.send(Invoked { shown, result, reason });
    }
}
