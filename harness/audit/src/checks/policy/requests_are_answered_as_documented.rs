//! Administrators' requests are answered as documented, and the database agrees.

use std::collections::BTreeMap;

use model::plan::{PolicyStep, PolicyVerb, StepResult, Verb};
use model::record::StepRecord;
use model::results::Blame;

use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Each request of an administrator is carried out, or refused with the reason that the judge works out from the
    /// policies as they stood. The HTTP answer on the wire and the server's database bear it out.
    ///
    /// ## Why it matters
    /// Policy decides who may seal. A value that is accepted and does nothing, or a tenant's policy that another
    /// tenant's administrator can change, takes that decision away.
    ///
    /// ## How it decides
    /// It passes when answer, wire and database agree with what was worked out. It fails with each request that does
    /// not. It is inconclusive when a request has no answer.
    summary: "policy requests are answered as documented",
    requirements: ["overheard/policy-requests-are-answered-by-name"],
    applies: |case| case.plan.steps.iter().any(|step| matches!(step.verb, Verb::Policy(_))),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for (index, step) in case.plan.steps.iter().enumerate() {
        let Verb::Policy(request) = &step.verb else { continue };
        let Some(expected) = case.expected.steps.get(&index) else { continue };
        let Some(record) = case.evidence.world.steps.get(&index) else {
            findings.doubt(format!(
                "the request to {} a policy has no answer; run the scenario again",
                request.verb
            ));
            continue;
        };
        findings.examine(1);
        let what = described(request);
        if record.result != expected.result {
            let is = record.result.map_or("not answered".to_owned(), |result| result.to_string());
            let ought = expected.result.map_or("answered", StepResult::word);
            let text = format!("{what} ought to be {ought} and is {is}");
            findings.fail(Blame::PolicyServer, text, Located::default());
        } else if expected.result == Some(StepResult::Refused) && record.reason != expected.reason {
            let (is, ought) = (record.reason.clone(), expected.reason.clone());
            let text = format!(
                "{what} ought to be refused with {} and is refused with {}",
                ought.unwrap_or_default(),
                is.unwrap_or_default()
            );
            findings.fail(Blame::PolicyServer, text, Located::default());
        }
        on_the_wire(case, &what, record, findings);
    }
    in_the_database(case, findings);
}

fn described(request: &PolicyStep) -> String {
    let name = request.name.as_deref().unwrap_or("none");
    let whom = match (&request.user, &request.group) {
        (Some(user), _) => format!(" to {user}"),
        (None, Some(group)) => format!(" to the group {group}"),
        (None, None) => String::new(),
    };
    let value = request.value.as_ref().map_or_else(String::new, |value| format!(" as {value}"));
    format!("{} {name}{value}{whom}", request.verb)
}

/// The second witness: a response with that status and body crossed the policy server's link.
fn on_the_wire(case: &Case<'_>, what: &str, record: &StepRecord, findings: &mut Findings) {
    let Some((status, body)) = &record.answer else {
        findings.doubt(format!("{what} has no recorded answer of the API"));
        return;
    };
    let crossed = case.evidence.signalling.exchanges.iter().any(|exchange| {
        exchange.message.start == crate::http::Start::Response { status: *status }
            && exchange.message.body == body.as_bytes()
    });
    if !crossed {
        findings.doubt(format!("the answer to {what} did not cross the policy server's link"));
    }
}

/// Each policy that the requests leave has its value in the database, and none that was removed is there.
fn in_the_database(case: &Case<'_>, findings: &mut Findings) {
    if case.evidence.world.database.is_empty() {
        return findings.doubt("the policy server's database is missing; run the scenario again");
    }
    let mut last: BTreeMap<(&str, &str), Option<&str>> = BTreeMap::new();
    for (index, step) in case.plan.steps.iter().enumerate() {
        let Verb::Policy(request) = &step.verb else { continue };
        let worked = case.expected.steps.get(&index).is_some_and(|e| e.result == Some(StepResult::Works));
        let (Some(name), true) = (&request.name, worked) else { continue };
        match request.verb {
            PolicyVerb::New => {
                last.insert((&request.tenant, name), Some(request.value.as_deref().unwrap_or("Disabled")));
            }
            PolicyVerb::Set => {
                if let Some(value) = &request.value {
                    last.insert((&request.tenant, name), Some(value));
                }
            }
            PolicyVerb::Remove => {
                last.insert((&request.tenant, name), None);
            }
            PolicyVerb::Grant | PolicyVerb::Get => {}
        }
    }
    for ((tenant, name), value) in last {
        findings.examine(1);
        let rows = case.evidence.world.database.iter().filter(|row| row.table == "policies");
        // A row that is no longer in force has an end.
        let stored = rows.filter(|row| {
            let has = |column: &str, wanted: &str| row.values.get(column).is_some_and(|v| v == wanted);
            has("tenant", tenant)
                && has("name", name)
                && row.values.get("until_ns").is_none_or(String::is_empty)
        });
        let stored: Vec<&str> =
            stored.filter_map(|row| row.values.get("value")).map(String::as_str).collect();
        if stored.last().copied() != value {
            let text = format!(
                "the database of {tenant} has {} for {name}, and ought to have {}",
                stored.last().copied().unwrap_or("nothing"),
                value.unwrap_or("nothing")
            );
            findings.fail(Blame::PolicyServer, text, Located::default());
        }
    }
}
