//! Plays the steps of a plan, one after the other.

use std::time::Duration;

use model::UserId;
use model::plan::{Plan, Step, Target, Verb};
use model::record::{Blamed, Stumble};
use net::Sleeper;
use nodes::client::{Client, Command, Stage};
use nodes::media_processor;
use tokio::sync::oneshot;

use super::build::World;
use super::calls::{ANSWERS_WITHIN, Placed, reached};

impl World {
    pub(super) async fn play(&mut self, plan: &Plan) {
        for (at, step) in plan.steps.iter().enumerate() {
            self.playing = Some(at);
            let index = self.standing(step.call.unwrap_or_default());
            match &step.verb {
                Verb::Call { .. } => {
                    self.call(plan, step, index).await;
                    match (plan.crossing(at), plan.crossing(at + 1)) {
                        (Some(pair), _) => self.crossed(pair).await,
                        (None, Some(_)) => continue,
                        (None, None) => self.until_it_rings(index).await,
                    }
                }
                Verb::Answer(device) => self.answer(index, std::slice::from_ref(device)).await,
                Verb::Decline(device) => self.decline(index, device).await,
                Verb::Ignore(device) => self.ignore(index, device).await,
                Verb::HangUp(device) => self.hang_up(index, device).await,
                Verb::Talk { ms } => self.talk(index, Duration::from_millis(*ms)).await,
                Verb::Invoke { feature, by, with } => {
                    self.invoke(at, index, *feature, by, with.as_ref()).await;
                }
                Verb::Chat { from, text } => self.chat(index, from, text).await,
                Verb::Toggle { user, e2ee } => self.toggle(user, *e2ee).await,
                Verb::Leave { group, user } => self.group(group, user, false),
                Verb::Join { group, user } => self.group(group, user, true),
                Verb::Policy(policy) => self.policy(at, policy).await,
                Verb::Wait { ms } => self.sleep(Duration::from_millis(*ms)).await,
            }
            self.let_ring(plan.steps.get(at + 1)).await;
        }
        self.playing = None;
        self.hang_up_all().await;
    }

    /// What the world is at, for whoever has to end it.
    pub(super) fn doing(&self, plan: &Plan) -> String {
        let step = self.playing.and_then(|at| Some((at + 1, word(&plan.steps.get(at)?.verb))));
        let doing = match step {
            Some((number, word)) => format!("it played step {number}, `{word}`"),
            None => "the devices left their calls".to_owned(),
        };
        format!("{doing}, after packet {} of its capture", self.net.packets())
    }

    pub(super) async fn sleep(&self, time: Duration) {
        self.net.sleep_until(self.net.now() + time, Sleeper::Application).await;
    }

    /// Everything that was under way has arrived.
    pub(super) async fn drain(&self) {
        self.sleep(self.latency * 4 + Duration::from_millis(60)).await;
    }

    pub(super) fn stumble(&mut self, blame: Blamed, text: String) {
        let at_ns = self.journal.now_ns();
        self.stumbles.push(Stumble { at_ns, blame, text });
    }

    /// The devices of a user, in the order of their names.
    pub(super) fn clients_of(&self, user: &UserId) -> Vec<Client> {
        self.clients
            .iter()
            .filter(|(device, _)| device.user == *user)
            .map(|(_, client)| client.clone())
            .collect()
    }

    async fn call(&mut self, plan: &Plan, step: &Step, index: usize) {
        let Verb::Call { from, to, media, kind } = &step.verb else { return };
        // A user's first device is the first one of the file.
        let devices_of = |user: &UserId| {
            let listed = plan.user(user).map(|user| user.devices.as_slice()).unwrap_or_default();
            let mut clients = self.clients_of(user);
            clients.sort_by_key(|client| listed.iter().position(|(name, _)| *name == client.device().device));
            clients
        };
        let Some(caller) = devices_of(from).into_iter().next() else {
            return self.stumble(Blamed::Harness, format!("{from} has no device to call from"));
        };
        let (names, undecided, telephone) = match to {
            Target::Users(users) => (users.iter().map(UserId::to_string).collect(), users.clone(), None),
            Target::Number(number) => {
                (vec![format!("tel:{number}")], Vec::new(), Some(media_processor::telephone(number)))
            }
        };
        let callees: Vec<Client> = undecided.iter().flat_map(devices_of).collect();
        let (placed, id) = oneshot::channel();
        let placed_ns = self.journal.now_ns();
        caller.command(Command::Call { to: names, media: media.clone(), kind: *kind, placed });
        let Ok(Ok(id)) = tokio::time::timeout(ANSWERS_WITHIN, id).await else {
            return self.stumble(Blamed::Caller, "the caller's client did not place the call".to_owned());
        };
        let (joined, instead, connected_ns, ended_ns) = (Vec::new(), None, None, None);
        self.calls[index] = Some(Placed {
            id,
            caller,
            callees,
            undecided,
            joined,
            telephone,
            instead,
            placed_ns,
            connected_ns,
            ended_ns,
        });
    }

    /// Waits until the devices of whoever is called ring, or nobody is called at all.
    async fn until_it_rings(&self, index: usize) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref) else { return };
        let rung = |stage| stage == Stage::Ringing || matches!(stage, Stage::Over(_));
        for callee in &placed.callees {
            if placed.over() {
                break;
            }
            reached(callee, &placed.id, ANSWERS_WITHIN, rung).await;
        }
    }

    async fn talk(&mut self, index: usize, time: Duration) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let mut waiting = Vec::new();
        for client in placed.everybody() {
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

    async fn chat(&mut self, index: usize, from: &UserId, text: &str) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let to = placed.everybody().map(|client| client.device().user.clone()).find(|user| user != from);
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
}

/// The word of a step in a scenario file.
const fn word(verb: &Verb) -> &'static str {
    match verb {
        Verb::Call { .. } => "call",
        Verb::Answer(_) => "answer",
        Verb::Decline(_) => "decline",
        Verb::Ignore(_) => "ignore",
        Verb::HangUp(_) => "hang-up",
        Verb::Talk { .. } => "talk",
        Verb::Invoke { .. } => "invoke",
        Verb::Chat { .. } => "chat",
        Verb::Toggle { .. } => "toggle",
        Verb::Leave { .. } => "leave",
        Verb::Join { .. } => "join",
        Verb::Policy(_) => "policy",
        Verb::Wait { .. } => "wait",
    }
}
