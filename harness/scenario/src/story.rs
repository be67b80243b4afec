//! The steps of a scenario: each resolved to one verb, and all of them in an order that can happen.

mod policy;
mod verb;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use verb::duration;

use model::plan::{Step, StepExpect, StepResult, Target, Verb};

use crate::calls::Calls;
use crate::diagnostic::Code;
use crate::people::People;
use crate::place::{At, Findings, said};
use crate::schema::step::{StepDocument, StepExpectDocument};
use crate::suggest;

/// Reasons that a step may give for a refusal (design, section 1.8).
const REASONS: [&str; 9] = [
    "unknown-value",
    "unknown-policy",
    "not-authorised",
    "global-cannot-be-removed",
    "policy-in-use",
    "name-not-allowed",
    "too-many-groups",
    "groups-not-supported",
    "sealed-call",
];

/// What steps are read against.
pub(crate) struct Story<'a> {
    people: People<'a>,
    propagation_ms: u64,
    /// Whether the scenario states that somebody is called who does not exist.
    strangers: bool,
    /// Names of policies by tenant, as the steps so far leave them.
    policies: BTreeMap<String, BTreeSet<String>>,
    calls: Calls,
}

/// The steps with the names of the calls that they place.
pub(crate) struct Told {
    pub steps: Vec<Step>,
    pub calls: Vec<String>,
    /// Whether a step could not be read, so that there may be other calls.
    pub blurred: bool,
}

impl<'a> Story<'a> {
    /// A story among `people`; `strangers` is whether calling somebody unknown is what it is about.
    pub fn new(people: People<'a>, propagation_ms: u64, strangers: bool) -> Self {
        let names = |tenant: &str| {
            let named = people.tenant(tenant).into_iter().flat_map(|t| t.policies.keys().cloned());
            named.chain(["Global".to_owned()]).collect()
        };
        let policies = people.tenants().map(|tenant| (tenant.to_owned(), names(tenant))).collect();
        Self { people, propagation_ms, strangers, policies, calls: Calls::default() }
    }

    /// Reads all steps.
    pub fn tell(mut self, steps: &[StepDocument], findings: &mut Findings<'_>) -> Told {
        let list = At::of(&["steps"]);
        if steps.is_empty() {
            let help = "add a step such as `- call: { from: alice, to: bob, media: [audio] }`";
            findings.key(Code::EmptyList, &list, said("a scenario without steps", "no step", help));
        }
        let steps = steps
            .iter()
            .enumerate()
            .filter_map(|(i, step)| self.step(step, &list.item(i), findings))
            .collect();
        let blurred = self.calls.blurred;
        Told { blurred, steps, calls: self.calls.lines.into_iter().map(|line| line.name).collect() }
    }

    fn step(&mut self, step: &StepDocument, at: &At, findings: &mut Findings<'_>) -> Option<Step> {
        let Some(name) = one_verb(step, at, findings) else {
            self.calls.blurred = true;
            return None;
        };
        let refused = step.expect.as_ref().and_then(|e| e.result) == Some(StepResult::Refused);
        let expect = step.expect.as_ref().map(|e| self.expect(e, name, &at.key("expect"), findings));
        let twin = step.twin.as_deref().and_then(|twin| self.twin(twin, &at.key("twin"), findings));
        let verb = self.verb(name, step, refused, at, findings);
        let call = match &verb {
            Some(Verb::Call { from, to, .. }) => self.place(step, from, to, at, findings),
            _ => self.call_of(step, name, at, findings),
        };
        let Some(verb) = verb else {
            self.calls.blurred = true;
            return None;
        };
        if !matches!(verb, Verb::Call { .. }) {
            self.calls.step(&verb, call, at, findings);
        }
        let call = call.or_else(|| self.call_of_twin(&verb, twin.as_ref(), at, findings));
        Some(Step { verb, call, expect, twin: twin.map(Box::new) })
    }

    fn place(
        &mut self,
        step: &StepDocument,
        from: &model::UserId,
        to: &Target,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<usize> {
        let at = at.key("call");
        let index = self.calls.lines.len();
        let plain = if index == 0 { "call".to_owned() } else { format!("call-{}", index + 1) };
        let given = step.call.as_ref().and_then(|c| c.r#as.clone());
        let name = given.unwrap_or(plain);
        let statements = crate::shape::keys_of("ExpectDocument");
        if self.calls.lines.iter().any(|line| line.name == name) {
            let message = format!("two calls are called `{name}`");
            findings.value(Code::NameClash, &at.key("as"), said(message, "taken", "choose another name"));
        }
        if statements.contains(&name.as_str()) || !crate::names::is_plain(&name) {
            let message = format!("`{name}` is no name for a call");
            let help = "use lower-case letters, digits and hyphens, and no key of `expect`";
            findings.value(Code::BadName, &at.key("as"), said(message, "not a name for a call", help));
        }
        if step.r#in.is_some() {
            let help = "take `in` out; `as` gives a call its name";
            let message = "`call` places a call of its own";
            findings.key(Code::NeedlessKey, &at_in(&at), said(message, "of no use here", help));
        }
        self.calls.place(&name, from, to, &at, findings);
        Some(index)
    }

    /// The call that a step is about.
    fn call_of(
        &self,
        step: &StepDocument,
        name: &str,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<usize> {
        let about_a_call =
            ["answer", "decline", "ignore", "hang-up", "talk", "invoke", "chat"].contains(&name);
        let lines = &self.calls.lines;
        match &step.r#in {
            Some(_) if !about_a_call => {
                let message = format!("`{name}` is not about a call");
                findings.key(
                    Code::NeedlessKey,
                    &at.key("in"),
                    said(message, "of no use here", "take `in` out"),
                );
                None
            }
            Some(wanted) => {
                let found = lines.iter().position(|line| line.name == *wanted);
                if found.is_none() && !self.calls.blurred {
                    let help = suggest::instead(wanted, lines.iter().map(|line| line.name.as_str()));
                    let message = format!("no call is called `{wanted}` so far");
                    findings.value(Code::UnknownCall, &at.key("in"), said(message, "not a call here", help));
                }
                found
            }
            None if about_a_call && lines.is_empty() && !self.calls.blurred => {
                let message = format!("`{name}` comes before any call");
                let help = "place a call first: `- call: { from: alice, to: bob, media: [audio] }`";
                findings.key(Code::OutOfOrder, &at.key(name), said(message, "no call so far", help));
                None
            }
            None => about_a_call.then(|| lines.len().checked_sub(1)).flatten(),
        }
    }

    fn expect(
        &self,
        doc: &StepExpectDocument,
        name: &str,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> StepExpect {
        if !["invoke", "policy"].contains(&name) {
            let message = format!("`{name}` has no result that could be expected");
            let help = "state it in the `expect` of the scenario";
            findings.key(Code::Unreachable, at, said(message, "nothing can meet this", help));
        }
        if doc.control.is_some() && name != "invoke" {
            let help = "take `control` out";
            let message = "only a feature has a control";
            findings.key(Code::Unreachable, &at.key("control"), said(message, "nothing can meet this", help));
        }
        match (&doc.reason, doc.result) {
            (Some(reason), Some(StepResult::Refused)) if !REASONS.contains(&reason.as_str()) => {
                let help = suggest::instead(reason, REASONS);
                let message = format!("unknown reason `{reason}`");
                findings.value(Code::UnknownWord, &at.key("reason"), said(message, "not a reason", help));
            }
            (Some(reason), result) if result != Some(StepResult::Refused) && reason != "accepted" => {
                let help = "add `result: refused`, or take the reason out";
                let message = "a reason goes with a refusal";
                findings.key(
                    Code::Unreachable,
                    &at.key("reason"),
                    said(message, "nothing can meet this", help),
                );
            }
            _ => {}
        }
        StepExpect { result: doc.result, reason: doc.reason.clone(), control: doc.control }
    }

    /// The call that a twin is about where the step itself is about none.
    fn call_of_twin(
        &self,
        verb: &Verb,
        twin: Option<&Verb>,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<usize> {
        let none = matches!(
            twin?,
            Verb::Call { .. }
                | Verb::Toggle { .. }
                | Verb::Leave { .. }
                | Verb::Join { .. }
                | Verb::Policy(_)
                | Verb::Wait { .. }
        );
        if matches!(twin, Some(Verb::Call { .. })) && !matches!(verb, Verb::Call { .. }) {
            let message = "a call in the twin where the scenario places none";
            let help = "put the twin beside the call that it stands for";
            findings.key(Code::OutOfOrder, &at.key("twin"), said(message, "not in this place", help));
        }
        self.calls.lines.len().checked_sub(1).filter(|_| !none)
    }

    /// A twin is a verb alone, and it changes nothing for the steps that follow.
    fn twin(&mut self, twin: &StepDocument, at: &At, findings: &mut Findings<'_>) -> Option<Verb> {
        let beside =
            [("in", twin.r#in.is_some()), ("expect", twin.expect.is_some()), ("twin", twin.twin.is_some())];
        for (key, _) in beside.iter().filter(|(_, there)| *there) {
            let message = format!("a twin has no `{key}`");
            findings.key(
                Code::NeedlessKey,
                &at.key(key),
                said(message, "of no use here", format!("take `{key}` out")),
            );
        }
        let name = one_verb(twin, at, findings)?;
        let policies = self.policies.clone();
        let verb = self.verb(name, twin, false, at, findings);
        self.policies = policies;
        verb
    }
}

/// The place of `in` beside the verb at `at`.
fn at_in(at: &At) -> At {
    at.outer().unwrap_or_default().key("in")
}

/// The name of the step's only verb.
fn one_verb(step: &StepDocument, at: &At, findings: &mut Findings<'_>) -> Option<&'static str> {
    let verbs = [
        ("call", step.call.is_some()),
        ("answer", step.answer.is_some()),
        ("decline", step.decline.is_some()),
        ("ignore", step.ignore.is_some()),
        ("hang-up", step.hang_up.is_some()),
        ("talk", step.talk.is_some()),
        ("invoke", step.invoke.is_some()),
        ("chat", step.chat.is_some()),
        ("toggle", step.toggle.is_some()),
        ("leave", step.leave.is_some()),
        ("join", step.join.is_some()),
        ("policy", step.policy.is_some()),
        ("wait", step.wait.is_some()),
    ];
    let found: Vec<&str> = verbs.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    match found.as_slice() {
        [one] => Some(one),
        [] => {
            let all: Vec<&str> = verbs.iter().map(|(name, _)| *name).collect();
            let help = format!("add one of {}", suggest::list(&all));
            findings.value(Code::OneVerb, at, said("a step without a verb", "no verb", help));
            None
        }
        several => {
            let message = format!("a step with {} verbs: {}", several.len(), suggest::list(several));
            findings.value(Code::OneVerb, at, said(message, "more than one verb", "write one step for each"));
            None
        }
    }
}
