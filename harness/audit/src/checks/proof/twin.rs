//! The leg `twin`: the control run behaves the other way.

use model::Verdict;
use model::outcome::{Listener, Outcome};
use model::plan::StepResult;

use super::carries_media;
use crate::case::{Call, Case, Twin, TwinCall};
use crate::findings::Findings;

crate::declare_check! {
    /// ## What it checks
    /// A second run, the same but for the one thing that the outcome rests on, comes out the other way: with the
    /// option off Trudy hears the sealed call; without the attack the call is sealed; without the cause media flow;
    /// and where there is no call, the request that is allowed succeeds.
    ///
    /// ## Why it matters
    /// A harness that cannot hear anything would find every call unheard. The twin goes through the same capture and
    /// the same code and is heard.
    ///
    /// ## How it decides
    /// It passes when each call of the twin comes out the other way. It fails when one does not. It is inconclusive
    /// when the twin is missing or its evidence cannot be read.
    summary: "the control run behaves the other way",
    requirements: [],
    applies: |case| {
        case.calls.iter().any(|call| call.claimed.outcome != Outcome::Ordinary) || refused(case).next().is_some()
    },
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let Some(twin) = case.twin else {
        findings.doubt("the twin is missing; run the scenario again");
        return;
    };
    for fault in &twin.faults {
        match fault.verdict {
            Verdict::Error => findings.error(format!("of the twin, {}", fault.text)),
            _ => findings.doubt(format!("of the twin, {}", fault.text)),
        }
    }
    if let Some(stumble) = twin.stumbles.first() {
        findings.error(format!("the twin did not run to its end: {stumble}"));
    }
    for (index, call) in case.calls.iter().enumerate() {
        judge_call(call, index, twin, findings);
    }
    for index in refused(case) {
        allowed(index, twin, findings);
    }
}

/// The requests of a scenario without a call that are to be refused, by step.
fn refused<'c>(case: &'c Case<'_>) -> impl Iterator<Item = usize> + 'c {
    let steps = case.expected.steps.iter().filter(|_| case.calls.is_empty());
    steps.filter(|(_, expected)| expected.result == Some(StepResult::Refused)).map(|(index, _)| *index)
}

/// What stands in the place of a refused request succeeds.
fn allowed(index: usize, twin: &Twin, findings: &mut Findings) {
    let number = index + 1;
    findings.examine(1);
    match twin.steps.get(&index).and_then(|step| step.result) {
        Some(StepResult::Works) => {}
        Some(StepResult::Refused) => {
            findings.error(format!("the request of step {number} is refused in the control run as well"));
        }
        None => findings.doubt(format!("the request of step {number} has no answer in the control run")),
    }
}

fn judge_call(call: &Call<'_>, index: usize, twin: &Twin, findings: &mut Findings) {
    let name = &call.expected.name;
    let Some(other) = twin.calls.get(index) else {
        if call.claimed.outcome != Outcome::Ordinary {
            findings.doubt(format!("the twin has no {name}; run the scenario again"));
        }
        return;
    };
    match call.claimed.outcome {
        Outcome::Ordinary => {}
        Outcome::Sealed => heard_by_trudy(name, other, findings),
        Outcome::Exposed => sealed_and_unheard(name, other, findings),
        Outcome::Ended | Outcome::NotPlaced => carries(name, other, findings),
    }
}

fn heard_by_trudy(name: &str, twin: &TwinCall, findings: &mut Findings) {
    let heard = twin.heard.get(&Listener::Trudy).copied().unwrap_or(0);
    findings.examine(twin.frames);
    if twin.claimed.outcome != Outcome::Ordinary {
        findings.error(format!("with the option off {name} was {} and not ordinary", twin.claimed.outcome));
    } else if twin.frames == 0 || heard < twin.frames {
        findings.error(format!(
            "with the option off Trudy hears {heard} of {} frames of {name}, and ought to hear all",
            twin.frames
        ));
    }
}

fn sealed_and_unheard(name: &str, twin: &TwinCall, findings: &mut Findings) {
    findings.examine(twin.frames);
    let heard = Listener::ALL.iter().filter(|l| **l != Listener::Parties);
    let heard: u64 = heard.filter_map(|l| twin.heard.get(l)).sum();
    if twin.claimed.outcome != Outcome::Sealed {
        findings.error(format!("without the attack {name} was {} and not sealed", twin.claimed.outcome));
    } else if heard > 0 {
        findings.error(format!("without the attack {heard} frames of {name} are heard, and ought not to be"));
    }
}

fn carries(name: &str, twin: &TwinCall, findings: &mut Findings) {
    findings.examine(twin.played);
    if !carries_media(twin.claimed.outcome) || twin.played == 0 {
        findings.error(format!(
            "without the cause {name} was {} with {} frames played, and ought to carry media",
            twin.claimed.outcome, twin.played
        ));
    }
}
