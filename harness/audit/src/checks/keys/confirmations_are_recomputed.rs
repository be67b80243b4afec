//! Confirmations and base keys follow from the shared secret and the transcript.

use std::collections::BTreeSet;

use model::{Kind, Outcome, Role};

use super::{agreeing, blame, is_sealed, views};
use crate::agreement::key_id;
use crate::case::{Call, Case};
use crate::evidence::{View, bytes};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// From the shared secrets that the devices handed over and the signalling that crossed each device's link, the
    /// judge recomputes the other side's confirmation, and the base key of every SFrame key that opened a frame.
    ///
    /// ## Why it matters
    /// A confirmation that is not checked leaves a device alone with a key that nobody else has, or that somebody else
    /// made. A base key that does not follow was made by other means than the agreement.
    ///
    /// ## How it decides
    /// It passes when every confirmation and every base key is the recomputed one. It fails with those that are not in
    /// a call that went on. It is inconclusive when there is no shared secret for a sealed call.
    summary: "confirmations and keys follow from the agreement",
    requirements: ["overheard/keys-follow-from-the-agreement"],
    applies: |case| agreeing(case).any(|call| matches!(call.claimed.outcome, Outcome::Sealed | Outcome::Exposed)),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let goes_on = |call: &&Call<'_>| matches!(call.claimed.outcome, Outcome::Sealed | Outcome::Exposed);
    for call in agreeing(case).filter(goes_on) {
        let mut bases: BTreeSet<(u64, Vec<u8>)> = BTreeSet::new();
        for view in views(case, call).into_iter().filter(|view| is_sealed(call, view)) {
            let schedules = view.schedules(case.evidence);
            if schedules.is_empty() {
                let name = &call.expected.name;
                findings.doubt(format!("no shared secret of {name} was handed over; run the scenario again"));
                continue;
            }
            confirmation(call, &view, &schedules, findings);
            for schedule in &schedules {
                for sender in [Role::Caller, Role::Callee] {
                    for kind in Kind::ALL {
                        bases.insert((key_id(sender, *kind), schedule.base_key(sender, *kind).to_vec()));
                    }
                }
            }
        }
        if !bases.is_empty() {
            base_keys(case, call, &bases, findings);
        }
    }
}

fn confirmation(
    call: &Call<'_>,
    view: &View<'_>,
    schedules: &[crate::agreement::KeySchedule],
    findings: &mut Findings,
) {
    let other = view.role.other();
    let kind = if other == Role::Caller { "reveal" } else { "confirm" };
    let received = view.heard(kind).and_then(|message| bytes(message, "confirmation"));
    findings.examine(1);
    if !received.is_some_and(|received| schedules.iter().any(|s| s.confirmation(other) == received)) {
        let text =
            format!("the {} of {} goes on without the right confirmation", view.role, call.expected.name);
        findings.fail(blame(view.role), text, Located::default());
    }
}

fn base_keys(case: &Case<'_>, call: &Call<'_>, bases: &BTreeSet<(u64, Vec<u8>)>, findings: &mut Findings) {
    let mut wrong: BTreeSet<u64> = BTreeSet::new();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for frame in case.media_of(call).flat_map(|media| &media.frames) {
        let crate::evidence::Inside::Sealed { key, .. } = frame.inside else { continue };
        let Some(used) = case.evidence.keys.frame_keys().get(key).filter(|_| seen.insert(key)) else {
            continue;
        };
        findings.examine(1);
        if !bases.contains(&(used.key_id, used.base_key.clone())) {
            wrong.insert(used.key_id);
        }
    }
    for key_id in wrong {
        let role = if key_id.is_multiple_of(2) { Role::Caller } else { Role::Callee };
        let text = format!(
            "the base key of key id {key_id} in {} does not follow from the agreement",
            call.expected.name
        );
        findings.fail(blame(role), text, Located::default());
    }
}
