//! Says what a plan must come to, from the plan and the release's data alone.
//!
//! Invariant: nothing of a run is read here. What the releases, policies and settings of a plan mean is written
//! down in this room a second time, independently of the nodes that act on them (design, sections 1.1 to 1.4).

mod disagreement;
mod policy;
mod reasons;
mod walk;

use std::collections::BTreeMap;

use model::outcome::{Listener, Outcome, Reason};
use model::plan::{Codes, Heard, Plan, Sides, StepExpect};
use model::{DeviceId, UserId};

pub use disagreement::{Disagreement, disagreements};

/// What a plan must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// One per call of the plan, in its order.
    pub calls: Vec<ExpectedCall>,
    /// What becomes of the steps that have a result, by index into the plan's steps.
    pub steps: BTreeMap<usize, StepExpect>,
}

/// What one call must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedCall {
    /// Its name.
    pub name: String,
    /// Who calls.
    pub from: UserId,
    /// Who is called; empty for a telephone number.
    pub to: Vec<UserId>,
    /// The devices that are in the call from the start: caller first, then whoever answers.
    pub parties: Vec<DeviceId>,
    /// What the devices claim.
    pub outcome: Outcome,
    /// Why.
    pub because: Vec<Reason>,
    /// Whether nothing speaks against sealing it, also where nobody takes it.
    pub can_be_sealed: bool,
    /// Whose screens show the lock.
    pub lock: Sides,
    /// How the codes compare.
    pub codes: Codes,
    /// Who hears how much; a listener that is not named is not judged by this.
    pub heard: BTreeMap<Listener, Heard>,
    /// Devices whose ledgers hold a frame; none where that depends on a feature.
    pub devices: Option<usize>,
    /// Whose media cross the relay's link.
    pub relayed: Sides,
    /// Whether both sides talk while the call lasts.
    pub talks: bool,
    /// Whether an attack or a flaw is in play, so that the scenario's own statement counts.
    pub stated: bool,
}

/// Works out what `plan` must come to. Where an attack or a flaw is in play, what the scenario states takes the
/// place of what was computed.
pub fn expect(plan: &Plan) -> Expected {
    let mut expected = computed(plan);
    let disturbed = is_disturbed(plan);
    for (call, stated) in expected.calls.iter_mut().zip(&plan.expect) {
        if disturbed {
            call.stated = true;
            disagreement::overrule(call, stated, plan);
        }
    }
    expected
}

/// What `plan` would come to if no attack were made and no flaw planted.
pub fn computed(plan: &Plan) -> Expected {
    walk::walk(plan)
}

/// Whether an attack or a flaw is in play.
pub fn is_disturbed(plan: &Plan) -> bool {
    !plan.attacks.is_empty() || !plan.flaws().is_empty()
}

/// Who hears how much of a call with this outcome, by the design's table (section 2).
pub fn heard(outcome: Outcome, attacked: bool) -> BTreeMap<Listener, Heard> {
    let mut heard = BTreeMap::new();
    let (service, mallory) = match outcome {
        Outcome::Sealed => (Heard::None, Heard::None),
        Outcome::Ordinary => (Heard::All, Heard::All),
        Outcome::Exposed => (Heard::None, Heard::All),
        Outcome::Ended | Outcome::NotPlaced => return heard,
    };
    heard.insert(Listener::Eve, Heard::None);
    heard.insert(Listener::Trudy, service);
    heard.insert(Listener::Harvest, service);
    heard.insert(Listener::Parties, Heard::All);
    if attacked {
        heard.insert(Listener::Mallory, mallory);
    }
    heard
}

#[cfg(test)]
mod tests;
