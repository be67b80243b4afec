//! Compares what a scenario states with what the oracle computes, and bounds what may be stated of an attack.
//!
//! Invariant: a statement is never trusted where it can be computed; where it cannot, it is needed.

use std::fmt::Display;

use model::attack::Place;
use model::outcome::{Listener, Outcome, Reason};
use model::plan::{CallExpect, Codes, Heard, Plan, Sides, StepExpect};

use super::{Expected, ExpectedCall, heard, is_disturbed};

/// A statement that cannot be right, at the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Keys from the top of the file to the statement, e.g. `expect`, `outcome`.
    pub place: Vec<String>,
    /// What is computed instead, ending in a next step.
    pub text: String,
}

/// Every statement of `plan` that disagrees with `expected`, which [`super::expect`] made of it.
pub fn disagreements(plan: &Plan, expected: &Expected) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for ((call, stated), computed) in expected.calls.iter().zip(&plan.expect).zip(super::computed(plan).calls)
    {
        let mut place = vec!["expect".to_owned()];
        if expected.calls.len() > 1 {
            place.push(call.name.clone());
        }
        let mut at = Statements { place, found: &mut found };
        if is_disturbed(plan) {
            at.of_disturbed(plan, stated);
        } else {
            at.of_plain(stated, &computed);
        }
    }
    for (index, computed) in &expected.steps {
        let Some(stated) = plan.steps.get(*index).and_then(|step| step.expect.as_ref()) else { continue };
        let place = vec!["steps".to_owned(), index.to_string(), "expect".to_owned()];
        if plan.flaws().is_empty() {
            Statements { place, found: &mut found }.of_step(stated, computed);
        }
    }
    found
}

struct Statements<'a> {
    place: Vec<String>,
    found: &'a mut Vec<Disagreement>,
}

impl Statements<'_> {
    fn say(&mut self, key: &str, text: String) {
        let mut place = self.place.clone();
        if !key.is_empty() {
            place.push(key.to_owned());
        }
        self.found.push(Disagreement { place, text });
    }

    fn compare<T: PartialEq + Display>(&mut self, key: &str, stated: Option<&T>, computed: Option<&T>) {
        if let (Some(stated), Some(computed)) = (stated, computed)
            && stated != computed
        {
            self.say(
                key,
                format!("the plan comes to `{computed}`, not `{stated}`; change the statement or the plan"),
            );
        }
    }

    fn of_plain(&mut self, stated: &CallExpect, computed: &ExpectedCall) {
        self.compare("outcome", stated.outcome.as_ref(), Some(&computed.outcome));
        if let Some(because) = &stated.because
            && *because != computed.because
        {
            self.say("because", format!("the reasons are [{}]; state these", list(&computed.because)));
        }
        self.compare("lock", stated.lock.as_ref(), Some(&computed.lock));
        self.compare("codes", stated.codes.as_ref(), Some(&computed.codes));
        self.compare("devices", stated.devices.as_ref(), computed.devices.as_ref());
        self.compare("relayed", stated.relayed.as_ref(), Some(&computed.relayed));
        for (listener, how_much) in &stated.heard {
            match computed.heard.get(listener) {
                Some(computed) if computed == how_much => {}
                Some(computed) => self.say(
                    "heard",
                    format!(
                        "{listener} hears `{computed}`, not `{how_much}`; change the statement or the plan"
                    ),
                ),
                None if *listener == Listener::Mallory => {
                    self.say("heard", "there is no attack, so there is no mallory; leave her out".to_owned());
                }
                None => {}
            }
        }
        for (key, checks) in [("fails", &stated.fails), ("may-fail", &stated.may_fail)] {
            if !checks.is_empty() {
                self.say(
                    key,
                    "nothing may fail where no flaw is planted; plant one or leave this out".to_owned(),
                );
            }
        }
    }

    /// With an attack or a flaw the outcome must be stated, within what the design's table allows.
    fn of_disturbed(&mut self, plan: &Plan, stated: &CallExpect) {
        let Some(outcome) = stated.outcome else {
            self.say("", "with an attack or a flaw the outcome is not computed; state `outcome`".to_owned());
            return;
        };
        if matches!(outcome, Outcome::Ended | Outcome::NotPlaced) && stated.because.is_none() {
            self.say("", "a call that an attack or a flaw ends has a cause; state `because`".to_owned());
        }
        if !plan.flaws().is_empty() {
            if stated.fails.is_empty() {
                self.say("", "a flaw must be caught by some check; state `fails`".to_owned());
            }
            return;
        }
        for (key, checks) in [("fails", &stated.fails), ("may-fail", &stated.may_fail)] {
            if !checks.is_empty() {
                self.say(
                    key,
                    "nothing may fail where no flaw is planted; plant one or leave this out".to_owned(),
                );
            }
        }
        let serves = plan.attacks.iter().any(|attack| attack.place == Place::Service);
        if outcome == Outcome::Exposed && !serves {
            self.say(
                "outcome",
                "on the wire alone nobody is exposed; state another outcome or `place: service`".to_owned(),
            );
        }
        let (codes, lock) = screens(outcome);
        if outcome != Outcome::Exposed {
            self.compare("codes", stated.codes.as_ref(), Some(&codes));
            self.compare("lock", stated.lock.as_ref(), Some(&lock));
        } else if stated.codes == Some(Codes::Equal) && matches!(stated.lock, None | Some(Sides::Both)) {
            self.say(
                "codes",
                "equal codes under two locks are a sealed call; state `codes: differ`".to_owned(),
            );
        }
        let table = heard(outcome, true);
        for (listener, how_much) in &stated.heard {
            let allowed = match (listener, outcome, serves) {
                (Listener::Mallory, Outcome::Ordinary, false) => &Heard::None,
                _ => table.get(listener).unwrap_or(&Heard::None),
            };
            if how_much != allowed && *listener != Listener::Parties {
                self.say("heard", format!("of such a call {listener} may hear `{allowed}`, not `{how_much}`; change the statement"));
            }
        }
    }

    fn of_step(&mut self, stated: &StepExpect, computed: &StepExpect) {
        self.compare("result", stated.result.as_ref(), computed.result.as_ref());
        match (&stated.reason, &computed.reason) {
            (Some(stated), None) => {
                self.say(
                    "reason",
                    format!("nothing is refused here, so there is no reason `{stated}`; leave it out"),
                );
            }
            (stated, computed) => self.compare("reason", stated.as_ref(), computed.as_ref()),
        }
        self.compare("control", stated.control.as_ref(), computed.control.as_ref());
    }
}

fn list(reasons: &[Reason]) -> String {
    reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>().join(", ")
}

/// What the screens show in a call with this outcome; of an exposed one, what they show when nothing is stated.
fn screens(outcome: Outcome) -> (Codes, Sides) {
    match outcome {
        Outcome::Sealed => (Codes::Equal, Sides::Both),
        Outcome::Exposed => (Codes::Differ, Sides::Both),
        Outcome::Ordinary | Outcome::Ended | Outcome::NotPlaced => (Codes::None, Sides::None),
    }
}

/// Lets the scenario's statement take the place of what was computed.
pub(super) fn overrule(call: &mut ExpectedCall, stated: &CallExpect, plan: &Plan) {
    if let Some(outcome) = stated.outcome
        && outcome != call.outcome
    {
        call.outcome = outcome;
        call.because = Vec::new();
        (call.codes, call.lock) = screens(outcome);
        call.heard = heard(outcome, !plan.attacks.is_empty());
        match outcome {
            Outcome::Ended | Outcome::NotPlaced => call.devices = None,
            _ if call.devices == Some(0) => call.devices = None,
            _ => {}
        }
    }
    if !plan.attacks.iter().any(|attack| attack.place == Place::Service)
        && call.heard.contains_key(&Listener::Mallory)
    {
        call.heard.insert(Listener::Mallory, Heard::None);
    }
    if let Some(because) = &stated.because {
        call.because.clone_from(because);
    }
    call.lock = stated.lock.unwrap_or(call.lock);
    call.codes = stated.codes.unwrap_or(call.codes);
    call.heard.extend(stated.heard.iter().map(|(listener, how_much)| (*listener, *how_much)));
    call.devices = stated.devices.or(call.devices);
    call.relayed = stated.relayed.unwrap_or(call.relayed);
}
