//! Plays the steps of a plan, one after the other.

use std::time::Duration;

use model::identity::DeviceId;
use model::plan::{CallKind, Control, Plan, StepResult, Target, Verb};
use model::record::{Blamed, StepRecord, Stumble};
use model::release::Feature;
use model::{Kind, UserId};
use net::Sleeper;
use nodes::client::{Client, Command, Invoked, Stage};
use tokio::sync::oneshot;

use super::build::World;
use super::calls::{Placed, reached, stage};

/// The person answers, or says no, this long after the device began to ring.
const THINKS_FOR: Duration = Duration::from_secs(1);
/// A device that does not answer a request in this time never will.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A caller's device lets it ring for 30 s; the rest is the way of the messages.
const RINGS_WITHIN: Duration = Duration::from_secs(35);

impl World {
    pub(super) async fn play(&mut self, plan: &Plan) {
        for (at, step) in plan.steps.iter().enumerate() {
            let next = plan.steps.get(at + 1).map(|step| &step.verb);
            match &step.verb {
                Verb::Call { from, to, media, kind } => {
                    let index = step.call.unwrap_or_default();
                    self.call(index, from, to, media, *kind).await;
                    let decided = matches!(next, Some(Verb::Answer(_) | Verb::Decline(_) | Verb::Ignore(_)));
                    if !decided {
                        self.answer(index, None).await;
                    }
                }
                Verb::Answer(device) => self.answer(step.call.unwrap_or_default(), Some(device)).await,
                Verb::Decline(device) => self.decline(step.call.unwrap_or_default(), device).await,
                Verb::Ignore(_) => self.until_over(step.call.unwrap_or_default(), RINGS_WITHIN).await,
                Verb::HangUp(device) => self.hang_up(step.call.unwrap_or_default(), device).await,
                Verb::Talk { ms } => {
                    self.talk(step.call.unwrap_or_default(), Duration::from_millis(*ms)).await
                }
                Verb::Invoke { feature, by, with } => {
                    self.invoke(at, step.call.unwrap_or_default(), *feature, by, with.as_ref()).await;
                }
                Verb::Chat { from, text } => self.chat(step.call.unwrap_or_default(), from, text).await,
                Verb::Toggle { user, e2ee } => self.toggle(user, *e2ee).await,
                Verb::Leave { group, user } => self.group(group, user, false),
                Verb::Join { group, user } => self.group(group, user, true),
                Verb::Policy(policy) => self.policy(at, policy).await,
                Verb::Wait { ms } => self.sleep(Duration::from_millis(*ms)).await,
            }
        }
        for index in 0..self.calls.len() {
            let Some(caller) = self.calls[index].as_ref().map(|placed| placed.caller.device().clone()) else {
                continue;
            };
            self.hang_up(index, &caller).await;
        }
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.net.sleep_until(self.net.now() + time, Sleeper::Application).await;
    }

    /// Everything that was under way has arrived.
    async fn drain(&self) {
        self.sleep(self.latency * 4 + Duration::from_millis(60)).await;
    }

    pub(super) fn stumble(&mut self, blame: Blamed, text: String) {
        let at_ns = self.journal.now_ns();
        self.stumbles.push(Stumble { at_ns, blame, text });
    }

    /// The devices of a user, in the order of their names.
    fn clients_of(&self, user: &UserId) -> Vec<Client> {
        self.clients
            .iter()
            .filter(|(device, _)| device.user == *user)
            .map(|(_, client)| client.clone())
            .collect()
    }

    async fn call(&mut self, index: usize, from: &UserId, to: &Target, media: &[Kind], kind: CallKind) {
        let Some(caller) = self.clients_of(from).into_iter().next() else {
            return self.stumble(Blamed::Harness, format!("{from} has no device to call from"));
        };
        let (names, callees) = match to {
            Target::Users(users) => {
                let names = users.iter().map(UserId::to_string).collect();
                (names, users.first().map(|user| self.clients_of(user)).unwrap_or_default())
            }
            Target::Number(number) => (vec![format!("tel:{number}")], Vec::new()),
        };
        let (placed, id) = oneshot::channel();
        let placed_ns = self.journal.now_ns();
        caller.command(Command::Call { to: names, media: media.to_vec(), kind, placed });
        let Ok(Ok(id)) = tokio::time::timeout(ANSWERS_WITHIN, id).await else {
            return self.stumble(Blamed::Caller, "the caller's client did not place the call".to_owned());
        };
        let rung = |stage| stage == Stage::Ringing || matches!(stage, Stage::Over(_));
        for callee in &callees {
            if matches!(stage(&caller, &id), Some(Stage::Over(_))) {
                break;
            }
            reached(callee, &id, ANSWERS_WITHIN, rung).await;
        }
        self.calls[index] =
            Some(Placed { id, caller, callees, placed_ns, connected_ns: None, ended_ns: None });
    }

    async fn answer(&mut self, index: usize, device: Option<&DeviceId>) {
        let Some(placed) = self.calls.get_mut(index).and_then(Option::as_mut) else { return };
        if let Some(device) = device {
            placed.answered_by(device);
        }
        let placed = placed.clone();
        let over = matches!(stage(&placed.caller, &placed.id), Some(Stage::Over(_)));
        let Some(callee) = placed.callee().filter(|_| !over) else {
            return self.until_over(index, RINGS_WITHIN).await;
        };
        self.sleep(THINKS_FOR).await;
        callee.command(Command::Answer(placed.id.clone()));
        let settled = |stage| matches!(stage, Stage::Up | Stage::Over(_));
        for client in placed.both() {
            reached(client, &placed.id, self.set_up + ANSWERS_WITHIN, settled).await;
        }
        if placed.both().all(|client| stage(client, &placed.id) == Some(Stage::Up)) {
            let now = self.journal.now_ns();
            if let Some(placed) = self.calls[index].as_mut() {
                placed.connected_ns = Some(now);
            }
            self.net.impair(true);
            if let Some(mallory) = &self.mallory {
                mallory.connected(self.net.now());
            }
        } else {
            self.until_over(index, self.set_up).await;
        }
    }

    async fn decline(&mut self, index: usize, device: &DeviceId) {
        let Some(placed) = self.calls.get_mut(index).and_then(Option::as_mut) else { return };
        placed.answered_by(device);
        let placed = placed.clone();
        self.sleep(THINKS_FOR).await;
        if let Some(callee) = placed.callee() {
            callee.command(Command::Decline(placed.id.clone()));
        }
        self.until_over(index, ANSWERS_WITHIN).await;
    }

    async fn talk(&mut self, index: usize, time: Duration) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let mut waiting = Vec::new();
        for client in placed.both() {
            let (done, finished) = oneshot::channel();
            client.command(Command::Talk { call: placed.id.clone(), time, done });
            waiting.push(finished);
        }
        for finished in waiting {
            if tokio::time::timeout(time + ANSWERS_WITHIN, finished).await.is_err() {
                self.stumble(Blamed::Harness, "a client did not come to the end of its talk".to_owned());
            }
        }
        self.drain().await;
    }

    async fn invoke(
        &mut self,
        at: usize,
        index: usize,
        feature: Feature,
        by: &UserId,
        with: Option<&UserId>,
    ) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let Some(client) = placed.both().find(|client| client.device().user == *by).cloned() else {
            return self.stumble(Blamed::Harness, format!("{by} is not in the call"));
        };
        let (answer, answered) = oneshot::channel();
        client.command(Command::Invoke { call: placed.id.clone(), feature, with: with.cloned(), answer });
        let answer = tokio::time::timeout(ANSWERS_WITHIN, answered).await.ok().and_then(Result::ok);
        let record = feature_record(self.journal.now_ns(), answer);
        self.steps.insert(at, record);
    }

    async fn chat(&mut self, index: usize, from: &UserId, text: &str) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let to = placed.both().map(|client| client.device().user.clone()).find(|user| user != from);
        let client = self.clients_of(from).into_iter().next();
        if let (Some(client), Some(to)) = (client, to) {
            client.command(Command::Chat { to, text: text.to_owned() });
        }
        self.drain().await;
    }

    async fn toggle(&mut self, user: &UserId, e2ee: bool) {
        if let Some(client) = self.clients_of(user).into_iter().next() {
            client.command(Command::Toggle(e2ee));
        }
        self.drain().await;
    }

    fn group(&mut self, group: &str, user: &UserId, join: bool) {
        let server = &self.policy_server;
        let done = if join {
            server.join(&user.tenant, group, &user.user)
        } else {
            server.leave(&user.tenant, group, &user.user)
        };
        if let Err(error) = done {
            self.stumble(
                Blamed::Harness,
                format!("the directory refused a change of the group {group} ({error})"),
            );
        }
    }

    async fn hang_up(&mut self, index: usize, device: &DeviceId) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        if let Some(client) = self.clients.get(device) {
            client.command(Command::HangUp(placed.id.clone()));
        }
        self.until_over(index, ANSWERS_WITHIN).await;
        self.drain().await;
    }

    /// Waits until both devices have left the call.
    async fn until_over(&mut self, index: usize, limit: Duration) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let over = |stage| matches!(stage, Stage::Over(_));
        let mut left = true;
        for client in placed.both().filter(|client| stage(client, &placed.id).is_some()) {
            left &= reached(client, &placed.id, limit, over).await;
        }
        if !left {
            self.stumble(Blamed::Harness, "a device did not leave a call that was over".to_owned());
        }
        let now = self.journal.now_ns();
        if let Some(placed) = self.calls[index].as_mut() {
            placed.ended_ns.get_or_insert(now);
        }
        self.net.impair(false);
    }
}

fn feature_record(at_ns: u64, answer: Option<Invoked>) -> StepRecord {
    let Some(answer) = answer else {
        return StepRecord { at_ns, result: None, reason: None, control: None, answer: None };
    };
    let (result, reason) = match answer.result.as_str() {
        "refused" => (StepResult::Refused, Some(answer.reason)),
        "accepted" => (StepResult::Works, Some("accepted".to_owned())),
        _ => (StepResult::Works, None),
    };
    let control = if answer.shown { Control::Present } else { Control::Absent };
    StepRecord { at_ns, result: Some(result), reason, control: Some(control), answer: None }
}
