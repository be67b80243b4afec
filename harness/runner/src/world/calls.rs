//! A call from the outside: who is called, who is in it, and waiting until it has come so far.

use std::time::Duration;

use model::UserId;
use model::identity::DeviceId;
use model::plan::{Step, Verb};
use nodes::client::{Client, Command, Stage};

use super::build::World;

/// The person answers, or says no, this long after the device began to ring.
const THINKS_FOR: Duration = Duration::from_secs(1);
/// Over real sockets everybody waits for it, and nothing depends on it.
const THINKS_SHORTLY_FOR: Duration = Duration::from_millis(250);
/// A device that does not answer a request in this time never will.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// A caller's device lets it ring for 30 s; the rest is the way of the messages.
const RINGS_WITHIN: Duration = Duration::from_secs(35);

/// A call that was placed.
#[derive(Clone)]
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) caller: Client,
    /// Devices that ring or have rung.
    pub(super) callees: Vec<Client>,
    /// Users who were called and have neither answered nor said no.
    pub(super) undecided: Vec<UserId>,
    /// Devices that have answered, in that order.
    pub(super) joined: Vec<Client>,
    /// The telephone that was called.
    pub(super) telephone: Option<DeviceId>,
    /// The call that stands in its place, where the two crossed.
    pub(super) instead: Option<usize>,
    pub(super) placed_ns: u64,
    pub(super) connected_ns: Option<u64>,
    pub(super) ended_ns: Option<u64>,
}

/// How far `client` has come with `call`.
pub(super) fn stage(client: &Client, call: &str) -> Option<Stage> {
    client.calls().borrow().get(call).map(|seen| seen.stage)
}

/// Waits until `client` has come to a stage that fits, at most `limit`; says whether it has.
pub(super) async fn reached(
    client: &Client,
    call: &str,
    limit: Duration,
    fits: impl Fn(Stage) -> bool,
) -> bool {
    let mut calls = client.calls();
    let come = calls.wait_for(|calls| calls.get(call).is_some_and(|seen| fits(seen.stage)));
    matches!(tokio::time::timeout(limit, come).await, Ok(Ok(_)))
}

impl Placed {
    /// What stands in the record: the device that answered first, or the first one that could.
    pub(super) fn callee(&self) -> Option<DeviceId> {
        let first = self.joined.first().or_else(|| self.callees.first());
        first.map(|client| client.device().clone()).or_else(|| self.telephone.clone())
    }

    /// The caller and everybody who has answered; before that, the first device that could.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &Client> {
        let first = self.callees.first().filter(|_| self.joined.is_empty());
        std::iter::once(&self.caller).chain(&self.joined).chain(first)
    }

    /// Those who have not left.
    pub(super) fn present(&self) -> Vec<Client> {
        let left = |client: &&Client| matches!(stage(client, &self.id), None | Some(Stage::Over(_)));
        self.everybody().filter(|client| !left(client)).cloned().collect()
    }

    /// Whether the caller has left.
    pub(super) fn over(&self) -> bool {
        matches!(stage(&self.caller, &self.id), Some(Stage::Over(_)))
    }

    /// The device on which `user` takes calls unless a step names another.
    fn first_device(&self, user: &UserId) -> Option<DeviceId> {
        self.callees.iter().map(Client::device).find(|device| device.user == *user).cloned()
    }
}

impl World {
    /// Whoever was called and is not decided about by the next step answers.
    pub(super) async fn let_ring(&mut self, next: Option<&Step>) {
        for index in 0..self.calls.len() {
            let decided = next.is_some_and(|step| {
                let decides = matches!(step.verb, Verb::Answer(_) | Verb::Decline(_) | Verb::Ignore(_));
                decides && step.call.unwrap_or_default() == index
            });
            let Some(placed) = self.calls[index].as_ref().filter(|_| !decided) else { continue };
            let rung = placed.undecided.iter().filter_map(|user| placed.first_device(user));
            let devices: Vec<DeviceId> = rung.collect();
            if !placed.undecided.is_empty() || placed.telephone.is_some() && placed.connected_ns.is_none() {
                self.answer(index, &devices).await;
            }
        }
    }

    /// The persons take the call on these devices.
    pub(super) async fn answer(&mut self, index: usize, devices: &[DeviceId]) {
        let Some(placed) = self.decided(index, devices) else { return };
        let answering: Vec<Client> =
            placed.callees.iter().filter(|client| devices.contains(client.device())).cloned().collect();
        if placed.over() || placed.ended_ns.is_some() || answering.is_empty() && placed.telephone.is_none() {
            return self.until_over(index, RINGS_WITHIN).await;
        }
        self.think().await;
        for client in &answering {
            client.command(Command::Answer(placed.id.clone()));
        }
        if let Some(placed) = self.calls[index].as_mut() {
            placed.joined.extend(answering);
        }
        self.until_up(index).await;
    }

    /// The time until a person answers, or says no.
    pub(super) async fn think(&self) {
        let time = if self.on_sockets { THINKS_SHORTLY_FOR } else { THINKS_FOR };
        self.sleep(time).await;
    }

    /// Waits until the media of everybody can flow, or the call is over.
    pub(super) async fn until_up(&mut self, index: usize) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let settled = |stage| matches!(stage, Stage::Up | Stage::Over(_));
        for client in placed.everybody() {
            reached(client, &placed.id, self.set_up + ANSWERS_WITHIN, settled).await;
        }
        let present = placed.present();
        let up = present.iter().all(|client| stage(client, &placed.id) == Some(Stage::Up));
        if !up || present.len() + usize::from(placed.telephone.is_some()) < 2 {
            return self.until_over(index, self.set_up).await;
        }
        let now = self.journal.now_ns();
        if let Some(placed) = self.calls[index].as_mut() {
            placed.connected_ns.get_or_insert(now);
        }
        self.net.impair(true);
        if let Some(mallory) = &self.mallory {
            mallory.connected(self.net.now());
        }
    }

    pub(super) async fn decline(&mut self, index: usize, device: &DeviceId) {
        let Some(placed) = self.decided(index, std::slice::from_ref(device)) else { return };
        self.think().await;
        if let Some(callee) = placed.callees.iter().find(|client| client.device() == device) {
            callee.command(Command::Decline(placed.id.clone()));
        }
        if placed.undecided.is_empty() && placed.joined.is_empty() {
            return self.until_over(index, ANSWERS_WITHIN).await;
        }
        self.drain().await;
    }

    pub(super) async fn ignore(&mut self, index: usize, device: &DeviceId) {
        let Some(placed) = self.decided(index, std::slice::from_ref(device)) else { return };
        if placed.undecided.is_empty() && placed.joined.is_empty() {
            self.until_over(index, RINGS_WITHIN).await;
        }
    }

    /// The users of these devices are undecided no more; their devices stand first.
    fn decided(&mut self, index: usize, devices: &[DeviceId]) -> Option<Placed> {
        let placed = self.calls.get_mut(index).and_then(Option::as_mut)?;
        placed.undecided.retain(|user| !devices.iter().any(|device| device.user == *user));
        placed.callees.sort_by_key(|client| !devices.contains(client.device()));
        Some(placed.clone())
    }

    pub(super) async fn hang_up(&mut self, index: usize, device: &DeviceId) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        if let Some(client) = self.clients.get(device) {
            client.command(Command::HangUp(placed.id.clone()));
            let over = |stage| matches!(stage, Stage::Over(_));
            reached(client, &placed.id, ANSWERS_WITHIN, over).await;
        }
        if placed.present().len() + usize::from(placed.telephone.is_some()) < 2 {
            self.until_over(index, ANSWERS_WITHIN).await;
        }
        self.drain().await;
    }

    /// Whoever is still in a call leaves it.
    pub(super) async fn hang_up_all(&mut self) {
        for index in 0..self.calls.len() {
            let Some(placed) = self.calls[index].clone() else { continue };
            self.hang_up(index, placed.caller.device()).await;
            for client in placed.present() {
                if placed.present().iter().any(|there| there.device() == client.device()) {
                    self.hang_up(index, client.device()).await;
                }
            }
        }
    }

    /// Waits until everybody has left the call.
    pub(super) async fn until_over(&mut self, index: usize, limit: Duration) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let over = |stage| matches!(stage, Stage::Over(_));
        let mut left = true;
        for client in placed.everybody().filter(|client| stage(client, &placed.id).is_some()) {
            left &= reached(client, &placed.id, limit, over).await;
        }
        if !left {
            let text = "a device did not leave a call that was over".to_owned();
            self.stumble(model::record::Blamed::Harness, text);
        }
        let now = self.journal.now_ns();
        if let Some(placed) = self.calls[index].as_mut() {
            placed.undecided.clear();
            placed.ended_ns.get_or_insert(now);
        }
        self.net.impair(false);
    }
}
