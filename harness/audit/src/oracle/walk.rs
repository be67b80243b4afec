//! Walks through the steps of a plan and keeps what they change: time, policies, preferences and calls.
//!
//! Invariant: a change of policy counts for calls that are placed after its propagation delay, and for no other.

use std::collections::BTreeMap;

use model::outcome::{Outcome, Reason};
use model::plan::{CallKind, Codes, Control, Heard, Path, Plan, Sides, StepExpect, StepResult, Target, Verb};
use model::release::{Feature, Platform, Release};
use model::{DeviceId, UserId};

use super::policy::Policies;
use super::reasons::{Party, Shape, reasons};
use super::{Expected, ExpectedCall, heard};

/// A callee answers so long after it rang, unless a step says otherwise.
const ANSWERED_AFTER_MS: u64 = 1_000;

/// Features whose work is modelled: invoked in an ordinary call they read or move the media.
const MODELLED: [Feature; 4] =
    [Feature::Recording, Feature::Transcription, Feature::TransferBlind, Feature::AddParticipant];

pub(super) fn walk(plan: &Plan) -> Expected {
    let mut walk = Walk::new(plan);
    for (index, step) in plan.steps.iter().enumerate() {
        walk.step(index, &step.verb, step.call);
    }
    Expected { calls: walk.calls, steps: walk.steps }
}

struct Walk<'a> {
    plan: &'a Plan,
    release: Release,
    now_ms: u64,
    policies: Policies,
    /// Policies as they stood before each change, with the time of the change.
    earlier: Vec<(u64, Policies)>,
    preferences: BTreeMap<UserId, bool>,
    calls: Vec<ExpectedCall>,
    /// Indices of calls that have not ended.
    going_on: Vec<usize>,
    steps: BTreeMap<usize, StepExpect>,
}

impl<'a> Walk<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut preferences = BTreeMap::new();
        for (domain, tenant) in &plan.tenants {
            for (name, user) in &tenant.users {
                preferences.insert(UserId::new(name, domain), user.e2ee);
            }
        }
        Self {
            plan,
            release: Release::of(plan.release),
            now_ms: 0,
            policies: Policies::at_start(plan),
            earlier: Vec::new(),
            preferences,
            calls: Vec::new(),
            going_on: Vec::new(),
            steps: BTreeMap::new(),
        }
    }

    fn step(&mut self, index: usize, verb: &Verb, call: Option<usize>) {
        match verb {
            Verb::Call { from, to, kind, .. } => self.call(index, from, to, *kind),
            Verb::Answer(device) => self.answer(call, device),
            // Decided where the call is placed, because the step stands right behind it.
            Verb::Decline(_) | Verb::Ignore(_) | Verb::Chat { .. } => {}
            Verb::HangUp(_) => self.going_on.retain(|going| Some(*going) != call),
            Verb::Talk { ms } => {
                self.now_ms += ms;
                if let Some(call) = call.and_then(|c| self.calls.get_mut(c)) {
                    call.talks = true;
                }
            }
            Verb::Invoke { feature, .. } => self.invoke(index, *feature, call),
            Verb::Toggle { user, e2ee } => {
                self.preferences.insert(user.clone(), *e2ee);
            }
            Verb::Leave { group, user } => self.changed(|policies| policies.membership(group, user, false)),
            Verb::Join { group, user } => self.changed(|policies| policies.membership(group, user, true)),
            Verb::Policy(request) => {
                let before = self.policies.clone();
                let expected = self.policies.request(request);
                if expected.result == Some(StepResult::Works) {
                    self.earlier.push((self.now_ms, before));
                }
                self.steps.insert(index, expected);
            }
            Verb::Wait { ms } => self.now_ms += ms,
        }
    }

    fn changed(&mut self, change: impl FnOnce(&mut Policies)) {
        self.earlier.push((self.now_ms, self.policies.clone()));
        change(&mut self.policies);
    }

    /// The policies that count for a call that is placed at this moment.
    fn effective(&self) -> &Policies {
        let too_young = |(at, _): &&(u64, Policies)| self.now_ms < at + self.plan.propagation_ms;
        self.earlier.iter().find(too_young).map_or(&self.policies, |(_, before)| before)
    }

    fn call(&mut self, index: usize, from: &UserId, to: &Target, kind: CallKind) {
        let (to, pstn) = match to {
            Target::Users(users) => (users.clone(), false),
            Target::Number(_) => (Vec::new(), true),
        };
        // Of two calls that cross the capture says which one stands; until then each is what it would be alone.
        let crossed = self.plan.crossing(index).map(|[earlier, _]| earlier);
        self.going_on.retain(|going| Some(*going) != crossed);
        let busy = self
            .going_on
            .iter()
            .filter_map(|c| self.calls.get(*c))
            .any(|call| call.parties.iter().any(|party| to.contains(&party.user)));
        let next = self.plan.steps.get(index + 1).map(|step| &step.verb);
        let answering = match next {
            Some(Verb::Answer(device)) if to.contains(&device.user) => Some(device.clone()),
            _ => None,
        };
        let ended = match next {
            _ if to.iter().any(|user| self.plan.user(user).is_none()) => Some(Reason::UnknownUser),
            _ if busy => Some(Reason::Busy),
            Some(Verb::Decline(device)) if to.contains(&device.user) => Some(Reason::Declined),
            Some(Verb::Ignore(device)) if to.contains(&device.user) => Some(Reason::NoAnswer),
            _ => None,
        };
        let shape = Shape { kind, called: to.len(), pstn };
        let against = self.reasons(from, &to, answering.as_ref(), &shape);
        let can_be_sealed = against.is_empty();
        let because = match ended {
            Some(reason) => vec![reason],
            None => against,
        };
        if ended.is_none() {
            self.going_on.push(self.calls.len());
            let crosses = crossed.is_some() || self.plan.crossing(index + 1).is_some();
            self.now_ms += if crosses { 0 } else { ANSWERED_AFTER_MS };
        }
        let parties = self.parties(from, &to, answering);
        let call = self.expected(from, to, parties, because);
        self.calls.push(ExpectedCall { can_be_sealed, ..call });
    }

    fn parties(&self, from: &UserId, to: &[UserId], answering: Option<DeviceId>) -> Vec<DeviceId> {
        let mut parties = vec![self.first_device(from)];
        parties.extend(to.iter().map(|user| match &answering {
            Some(device) if device.user == *user => device.clone(),
            _ => self.first_device(user),
        }));
        parties
    }

    fn first_device(&self, user: &UserId) -> DeviceId {
        let first = self.plan.user(user).and_then(|u| u.devices.first());
        DeviceId { user: user.clone(), device: first.and_then(|(name, _)| name.clone()) }
    }

    fn reasons(
        &self,
        from: &UserId,
        to: &[UserId],
        answering: Option<&DeviceId>,
        shape: &Shape,
    ) -> Vec<Reason> {
        let party = |id: &UserId, device: Option<&DeviceId>| {
            let user = self.plan.user(id)?;
            let tenant = self.plan.tenants.get(&id.tenant)?;
            let used = device
                .filter(|d| d.user == *id)
                .and_then(|d| user.devices.iter().find(|(name, _)| *name == d.device));
            Some(Party {
                user,
                kind: tenant.kind,
                policy: self.effective().value(id),
                e2ee: self.preferences.get(id).copied().unwrap_or(false),
                platform: used.or(user.devices.first()).map_or(Platform::Windows, |(_, platform)| *platform),
            })
        };
        let callees: Vec<Party<'_>> = to.iter().filter_map(|id| party(id, answering)).collect();
        match party(from, None) {
            Some(caller) => reasons(&self.release, &caller, &callees, shape),
            None => vec![Reason::UnknownUser],
        }
    }

    fn expected(
        &self,
        from: &UserId,
        to: Vec<UserId>,
        parties: Vec<DeviceId>,
        because: Vec<Reason>,
    ) -> ExpectedCall {
        let outcome = match because.first() {
            None => Outcome::Sealed,
            Some(reason) if reason.makes_ordinary() => Outcome::Ordinary,
            Some(Reason::UnknownUser | Reason::Busy) => Outcome::NotPlaced,
            Some(_) => Outcome::Ended,
        };
        let sealed = outcome == Outcome::Sealed;
        let flows = sealed || outcome == Outcome::Ordinary;
        ExpectedCall {
            name: self.plan.calls.get(self.calls.len()).cloned().unwrap_or_default(),
            from: from.clone(),
            devices: match (flows, to.is_empty()) {
                (false, _) => Some(0),
                (true, true) => None,
                (true, false) => Some(parties.len()),
            },
            to,
            parties,
            outcome,
            because,
            can_be_sealed: sealed,
            lock: if sealed { Sides::Both } else { Sides::None },
            codes: if sealed { Codes::Equal } else { Codes::None },
            heard: heard(outcome, !self.plan.attacks.is_empty()),
            relayed: if sealed && self.plan.path == Path::Relay { Sides::Both } else { Sides::None },
            talks: false,
            stated: false,
        }
    }

    /// An answer that does not follow its call at once: the device that takes part becomes known here.
    fn answer(&mut self, call: Option<usize>, device: &DeviceId) {
        let Some(call) = call.and_then(|c| self.calls.get_mut(c)) else { return };
        if let Some(party) = call.parties.iter_mut().skip(1).find(|party| party.user == device.user) {
            *party = device.clone();
        }
    }

    fn invoke(&mut self, index: usize, feature: Feature, call: Option<usize>) {
        let Some(call) = call.and_then(|c| self.calls.get_mut(c)) else { return };
        let withheld = call.outcome == Outcome::Sealed && self.release.withholds(feature);
        let modelled = MODELLED.contains(&feature);
        let expected = if withheld {
            StepExpect {
                result: Some(StepResult::Refused),
                reason: Some("sealed-call".to_owned()),
                control: Some(Control::Absent),
            }
        } else {
            StepExpect {
                result: Some(StepResult::Works),
                reason: (!modelled).then(|| "accepted".to_owned()),
                control: Some(Control::Present),
            }
        };
        if !withheld && matches!(feature, Feature::TransferBlind | Feature::AddParticipant) {
            call.devices = None;
            call.heard.retain(|_, heard| *heard == Heard::All);
        }
        self.steps.insert(index, expected);
    }
}
