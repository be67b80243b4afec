//! What sweep and search found, as findings of a check.
//!
//! Invariant: a secret in the hands of somebody who ought not to hear the call is told even where another key keeps the
//! frames shut; no text holds the secret.

use model::Role;
use model::outcome::Listener;
use model::results::Blame;

use super::{Hit, Origin};
use crate::agreement::key_id_owner;
use crate::case::{Call, Case};
use crate::evidence::Ears;
use crate::findings::{Findings, Located};
use crate::search::Trace;

/// Tells of the secrets of `call` that listeners came by without a right to.
pub fn tell(case: &Case<'_>, call: &Call<'_>, findings: &mut Findings) {
    let swept = &case.evidence.swept;
    for hit in swept.hits.iter().filter(|hit| is_of(case, call, &hit.call)) {
        tell_hit(case, call, hit, findings);
    }
    for trace in swept.traces.iter().filter(|trace| is_of(case, call, &trace.call)) {
        let ears = trace.ears.without(call.entitled());
        if !ears.is_none() && !swept.hits.iter().any(|hit| hit.stands_at(trace)) {
            let located = located(case, &trace.packets);
            let blame = writer(case, call, trace.writer.as_deref().unwrap_or(&located.tap));
            let text = format!("{} can read a part of {}, {}", names(ears), trace.secret, trace.place);
            findings.fail(blame.unwrap_or(Blame::Harness), text, located);
        }
    }
}

/// Doubts a pass whose planted controls were not all found.
pub fn doubt(case: &Case<'_>, findings: &mut Findings) {
    let controls = case.evidence.swept.controls;
    if controls.found < controls.planted {
        let (found, planted) = (controls.found, controls.planted);
        findings.doubt(format!(
            "of {planted} keys planted as controls only {found} were found, so that a real one could be missed; \
             report it as a fault of the harness"
        ));
    }
}

fn tell_hit(case: &Case<'_>, call: &Call<'_>, hit: &Hit, findings: &mut Findings) {
    let ears = hit.ears.without(call.entitled());
    if ears.is_none() {
        return;
    }
    let text = hit.text(&names(ears), &format!(" of {}", call.expected.name));
    let sender = hit.key_id.and_then(key_id_owner).map(|(role, _)| blame(role));
    let (located, written_by) = match &hit.origin {
        Origin::Guess(_) => (Located::default(), None),
        Origin::Stood { packet, writer: by, .. } => {
            let located = located(case, packet.as_slice());
            let by = writer(case, call, by.as_deref().unwrap_or(&located.tap));
            (located, by)
        }
    };
    findings.fail(written_by.or(sender).unwrap_or(Blame::Harness), text, located);
}

/// A secret that belongs to no call counts for every one.
fn is_of(case: &Case<'_>, call: &Call<'_>, id: &str) -> bool {
    call.record.is_some() && (call.id() == id || !case.calls.iter().any(|other| other.id() == id))
}

impl Hit {
    /// What `who` can do; `of` is whose the secret is, behind its name.
    pub fn text(&self, who: &str, of: &str) -> String {
        let key_id = self.key_id.map(|key_id| format!(" (key id {key_id})")).unwrap_or_default();
        let what = format!("{}{of}{key_id}", self.kind.words());
        match &self.origin {
            Origin::Guess(guess) => format!("{who} can guess {what}: it is {guess}"),
            Origin::Stood { name, place, written, .. } => {
                format!("{who} can read {what}: it stands in {name}, {place}, {written}")
            }
        }
    }

    /// Whether the sweep has already told of these bytes.
    pub fn stands_at(&self, trace: &Trace) -> bool {
        matches!(&self.origin, Origin::Stood { name, .. } if trace.place == format!("in {name}"))
    }
}

fn located(case: &Case<'_>, packets: &[usize]) -> Located {
    let mut located = Located::default();
    packets.iter().for_each(|packet| located.add(case.evidence.located(*packet)));
    located
}

/// Whose link or name `tap` is, where a device of the call or a node has it.
fn writer(case: &Case<'_>, call: &Call<'_>, tap: &str) -> Option<Blame> {
    let record = call.record?;
    let mut devices = [Some(&record.caller), record.callee.as_ref()].into_iter().flatten();
    match devices.find(|device| device.to_string() == tap) {
        Some(device) => Some(blame(case.role(call, device))),
        None => tap.parse().ok(),
    }
}

fn blame(role: Role) -> Blame {
    if role == Role::Caller { Blame::Caller } else { Blame::Callee }
}

fn names(ears: Ears) -> String {
    let names: Vec<&str> = Listener::ALL.iter().filter(|l| ears.has(**l)).map(|l| l.word()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
