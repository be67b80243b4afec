//! Forms the twin of a variant: the control run that must behave the other way (design, section 3).

use model::outcome::Reason;
use model::plan::{Plan, PolicyStep, PolicyValue, PolicyVerb, Step, StepResult, Verb};
use model::{DeviceId, Outcome};
use sha2::{Digest, Sha256};

/// Why a variant that needs a twin has none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` needs a control run and none can be formed ({why}); write `twin: {{…}}` beside the step")]
pub struct TwinError {
    /// The variant.
    pub id: String,
    /// What is missing.
    pub why: &'static str,
}

/// The twin of `plan`, given what its calls are expected to come to; none where nothing needs one.
///
/// # Errors
/// When the cause of the outcome is none that the design names, and no step says what stands in its place.
pub fn twin_of(plan: &Plan, expected: &[(Outcome, Vec<Reason>)]) -> Result<Option<Plan>, TwinError> {
    let mut twin = plan.clone();
    if plan.steps.iter().any(|step| step.twin.is_some()) {
        for step in &mut twin.steps {
            if let Some(verb) = step.twin.take() {
                step.verb = *verb;
            }
        }
        return Ok(Some(clean(twin)));
    }
    let crosses = apart(&mut twin);
    let any = |wanted: fn(&Outcome) -> bool| expected.iter().any(|(outcome, _)| wanted(outcome));
    if any(|o| *o == Outcome::Exposed) || (!plan.attacks.is_empty() && any(|o| *o == Outcome::Ended)) {
        twin.attacks.clear();
        return Ok(Some(clean(twin)));
    }
    if any(|o| *o == Outcome::Sealed) {
        for user in twin.tenants.values_mut().flat_map(|t| t.users.values_mut()) {
            user.e2ee = false;
        }
        twin.steps.retain(|step| !matches!(step.verb, Verb::Toggle { .. }));
        // Trudy ought to hear every frame of the control run, and an altered one is none.
        twin.attacks.clear();
        return Ok(Some(clean(twin)));
    }
    if let Some((_, because)) =
        expected.iter().find(|(o, _)| matches!(o, Outcome::Ended | Outcome::NotPlaced))
    {
        return without_the_cause(plan, twin, because).map(|twin| Some(clean(twin)));
    }
    if expected.is_empty() {
        return Ok(allowed(&mut twin).then(|| clean(twin)));
    }
    Ok(crosses.then(|| clean(twin)))
}

/// Calls that cross are placed one after the other, so that each of them carries media; says whether any did.
fn apart(twin: &mut Plan) -> bool {
    let later: Vec<usize> = (0..twin.steps.len()).filter(|at| twin.crossing(*at).is_some()).collect();
    for at in later.iter().rev() {
        let Some(Step { verb: Verb::Call { from, .. }, call, .. }) = twin.steps.get(at - 1) else { continue };
        let device = twin.user(from).and_then(|user| user.devices.first()).and_then(|(name, _)| name.clone());
        let device = DeviceId { user: from.clone(), device };
        let call = *call;
        let step = |verb| Step { verb, call, expect: None, twin: None };
        let between = [step(Verb::Talk { ms: 1_000 }), step(Verb::HangUp(device))];
        twin.steps.splice(at..at, between);
    }
    !later.is_empty()
}

/// `decline` and `ignore` become `answer`; of a call that a flawed client ends, the clients become honest.
fn without_the_cause(plan: &Plan, mut twin: Plan, because: &[Reason]) -> Result<Plan, TwinError> {
    let missing = |why| Err(TwinError { id: plan.id.clone(), why });
    match because.first() {
        Some(Reason::Declined | Reason::NoAnswer) => {}
        Some(_) if !plan.flaws().is_empty() => {
            twin.service.flaw = None;
            twin.tenants.values_mut().flat_map(|t| t.users.values_mut()).for_each(|user| user.flaw = None);
            return Ok(twin);
        }
        Some(_) => return missing("the cause is neither a step nor an attack"),
        None => return missing("the cause is not known"),
    }
    let mut replaced = false;
    for step in &mut twin.steps {
        if let Verb::Decline(device) | Verb::Ignore(device) = &step.verb {
            step.verb = Verb::Answer(device.clone());
            replaced = true;
        }
    }
    if !replaced {
        return missing("no step declines or ignores the call");
    }
    // Without talk the control run would carry no media.
    if !twin.steps.iter().any(|step| matches!(step.verb, Verb::Talk { .. })) {
        let at = twin.steps.iter().position(|s| matches!(s.verb, Verb::Answer(_))).map_or(0, |at| at + 1);
        let call = twin.steps.get(at.saturating_sub(1)).and_then(|s| s.call);
        twin.steps.insert(at, Step { verb: Verb::Talk { ms: 1_000 }, call, expect: None, twin: None });
    }
    Ok(twin)
}

/// Turns a refused request of an administrator into the allowed one; says whether there was any.
fn allowed(twin: &mut Plan) -> bool {
    let policies =
        twin.tenants.iter().map(|(tenant, t)| (tenant.clone(), t.policies.keys().cloned().collect()));
    let policies: std::collections::BTreeMap<String, Vec<String>> = policies.collect();
    let mut changed = false;
    for step in &mut twin.steps {
        let refused = step.expect.as_ref().is_some_and(|e| e.result == Some(StepResult::Refused));
        if let Verb::Policy(policy) = &mut step.verb
            && refused
        {
            make_allowed(policy, policies.get(&policy.tenant));
            step.expect = None;
            changed = true;
        }
    }
    changed
}

fn make_allowed(policy: &mut PolicyStep, existing: Option<&Vec<String>>) {
    let own = policy.as_admin_of.as_deref().is_none_or(|tenant| tenant == policy.tenant);
    if !own {
        policy.as_admin_of = None;
        return;
    }
    let fine = policy.value.as_deref().is_some_and(|v| v.parse::<PolicyValue>().is_ok());
    if policy.value.is_some() && !fine {
        policy.value = Some(PolicyValue::DisabledUserOverride.to_string());
        return;
    }
    let other =
        existing.into_iter().flatten().find(|name| *name != "Global" || policy.verb != PolicyVerb::Remove);
    if let Some(other) = other {
        policy.name = Some(other.clone());
    }
}

/// A twin states nothing: what it must come to is derived by the judge.
fn clean(mut twin: Plan) -> Plan {
    for step in &mut twin.steps {
        step.expect = None;
    }
    twin.expect = vec![model::plan::CallExpect::default(); twin.calls.len()];
    twin
}

/// Two twins with one key are one run: everything counts but what only names the variant.
pub(crate) fn key(twin: &Plan) -> [u8; 32] {
    let mut bare = twin.clone();
    for text in [&mut bare.id, &mut bare.family, &mut bare.title, &mut bare.about] {
        text.clear();
    }
    bare.variant.clear();
    Sha256::digest(serde_json::to_vec(&bare).expect("a plan is JSON")).into()
}

#[cfg(test)]
#[path = "twin/tests.rs"]
mod tests;
