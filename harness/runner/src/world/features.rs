//! Features that somebody in a call asks for, and the persons whom they bring into it.

use model::UserId;
use model::plan::{Control, StepResult};
use model::record::{Blamed, StepRecord};
use model::release::Feature;
use nodes::client::{Client, Command, Invoked, Stage};
use tokio::sync::oneshot;

use super::build::World;
use super::calls::{ANSWERS_WITHIN, reached, stage};

/// Somebody is being rung into a call: by which step, into which call, by whom and how.
struct Bringing {
    step: usize,
    index: usize,
    by: Client,
    feature: Feature,
    target: Client,
}

impl World {
    pub(super) async fn invoke(
        &mut self,
        at: usize,
        index: usize,
        feature: Feature,
        by: &UserId,
        with: Option<&UserId>,
    ) {
        let Some(placed) = self.calls.get(index).and_then(Option::as_ref).cloned() else { return };
        let Some(client) = placed.everybody().find(|client| client.device().user == *by).cloned() else {
            return self.stumble(Blamed::Harness, format!("{by} is not in the call"));
        };
        let (answer, mut answered) = oneshot::channel();
        let invoke = Command::Invoke { call: placed.id.clone(), feature, with: with.cloned(), answer };
        client.command(invoke);
        let target = with.and_then(|user| self.clients_of(user).into_iter().next());
        let brings_in = matches!(feature, Feature::AddParticipant | Feature::TransferBlind);
        let Some(target) = target.filter(|_| brings_in) else {
            return self.answered(at, answered).await;
        };
        // The service answers at once when it refuses, and otherwise when the person who is rung has decided.
        let rings = reached(&target, &placed.id, ANSWERS_WITHIN, |stage| stage == Stage::Ringing);
        tokio::select! {
            biased;
            answer = &mut answered => {
                self.steps.insert(at, feature_record(self.journal.now_ns(), answer.ok()));
            }
            _ = rings => {
                let bringing = Bringing { step: at, index, by: client, feature, target };
                self.bring_in(&placed.id, bringing, answered).await;
            }
        }
    }

    async fn answered(&mut self, step: usize, answer: oneshot::Receiver<Invoked>) {
        let answer = tokio::time::timeout(ANSWERS_WITHIN, answer).await.ok().and_then(Result::ok);
        let record = feature_record(self.journal.now_ns(), answer);
        self.steps.insert(step, record);
    }

    /// The person who is rung takes the call, and whoever passed it on is let go.
    async fn bring_in(&mut self, call: &str, bringing: Bringing, answer: oneshot::Receiver<Invoked>) {
        let Bringing { step, index, by, feature, target } = bringing;
        self.think().await;
        target.command(Command::Answer(call.to_owned()));
        self.answered(step, answer).await;
        if let Some(placed) = self.calls.get_mut(index).and_then(Option::as_mut) {
            placed.joined.push(target.clone());
        }
        self.until_up(index).await;
        if stage(&target, call) != Some(Stage::Up) {
            let text = format!("{} was brought into the call and did not connect", target.device());
            self.stumble(Blamed::Harness, text);
        }
        let over = |stage| matches!(stage, Stage::Over(_));
        if feature == Feature::TransferBlind && !reached(&by, call, ANSWERS_WITHIN, over).await {
            let text = format!("{} passed the call on and was not let go", by.device());
            self.stumble(Blamed::Harness, text);
        }
        self.drain().await;
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
