//! Invoked features are refused or work as the release says, and the wire bears it out.

use model::plan::{StepExpect, StepResult, Verb};
use model::record::StepRecord;
use model::release::Feature;
use model::results::Blame;

use crate::case::{Call, Case};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// A feature that the release withholds is refused in a sealed call, with the reason `sealed-call` and without a
    /// control; in an ordinary call it works. The answer that crossed the device's link says the same.
    ///
    /// ## Why it matters
    /// Recording, captions and transfers need the service to hear. In a sealed call they must not begin.
    ///
    /// ## How it decides
    /// It passes when each invocation ended as expected, on the screen and on the wire. It fails with each that did
    /// not. It is inconclusive when an invocation has no result, or its answer cannot be read.
    summary: "features are withheld as the release says",
    requirements: ["overheard/withheld-features-are-refused"],
    applies: |case| case.plan.steps.iter().any(|step| matches!(step.verb, Verb::Invoke { .. })),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for (index, step) in case.plan.steps.iter().enumerate() {
        let Verb::Invoke { feature, .. } = step.verb else { continue };
        let expected = step.expect.as_ref().filter(|_| !case.plan.flaws().is_empty());
        let Some(expected) = expected.or_else(|| case.expected.steps.get(&index)) else { continue };
        let Some(record) = case.evidence.world.steps.get(&index) else {
            findings.doubt(format!("{feature} was never invoked; run the scenario again"));
            continue;
        };
        findings.examine(1);
        compare(feature, expected, record, findings);
        if let Some(call) = step.call.and_then(|call| case.calls.get(case.meant(call))) {
            on_the_wire(case, call, feature, record, findings);
        }
    }
}

fn compare(feature: Feature, expected: &StepExpect, record: &StepRecord, findings: &mut Findings) {
    let mut differ = |what: &str, is: String, ought: String| {
        let text = format!("{what} of {feature} ought to be {ought} and is {is}");
        findings.fail(Blame::CallService, text, Located::default());
    };
    if let Some(ought) = expected.result
        && record.result != Some(ought)
    {
        differ("the result", record.result.map_or("none".to_owned(), |r| r.to_string()), ought.to_string());
    }
    if let (Some(StepResult::Refused), Some(ought)) = (expected.result, &expected.reason)
        && record.reason.as_ref() != Some(ought)
    {
        differ("the reason", record.reason.clone().unwrap_or_default(), ought.clone());
    }
    if let Some(ought) = expected.control
        && record.control != Some(ought)
    {
        differ(
            "the control",
            record.control.map_or("unknown".to_owned(), |c| c.to_string()),
            ought.to_string(),
        );
    }
}

/// The second witness: the service's own answer.
fn on_the_wire(
    case: &Case<'_>,
    call: &Call<'_>,
    feature: Feature,
    record: &StepRecord,
    findings: &mut Findings,
) {
    let answers = case.evidence.signalling.of_call(call.id()).filter(|message| {
        message.kind() == "invoked" && !message.from_client && message.text_of("feature") == feature.word()
    });
    let said = answers.last().map(|message| message.text_of("result").to_owned());
    match (said, record.result) {
        (None, _) => findings.doubt(format!("no answer to {feature} crossed a link")),
        // Of a feature whose work is not modelled the service only says that it would do it.
        (Some(said), Some(StepResult::Works))
            if said == "accepted" && record.reason.as_deref() == Some("accepted") => {}
        (Some(said), Some(result)) if said != result.word() => {
            let text = format!("the service answered {feature} with {said}, and the device says {result}");
            findings.fail(Blame::Caller, text, Located::default());
        }
        _ => {}
    }
}
