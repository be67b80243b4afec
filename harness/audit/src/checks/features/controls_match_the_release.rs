//! The controls of a call are those that the release leaves it.

use std::collections::BTreeSet;

use model::record::Claimed;
use model::release::{Feature, Release};
use model::{Outcome, Role};

use super::super::keys::blame;
use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In a sealed call no screen shows a control of a feature that the release withholds, and in an ordinary call
    /// every such control is shown.
    ///
    /// ## Why it matters
    /// A control that is there invites to a feature for which the service must hear.
    ///
    /// ## How it decides
    /// It passes when the controls of each device are as the release's list says. It fails with those that are not. It
    /// is inconclusive when no device says which it shows. Controls are the client's word.
    summary: "controls are those of the release",
    requirements: ["overheard/controls-of-withheld-features-are-absent"],
    applies: |case| case.calls.iter().any(|call| !call.claimed.devices.is_empty()),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let release = Release::of(case.plan.release);
    for call in case.calls.iter().filter(|call| !call.claimed.devices.is_empty()) {
        for claim in case.evidence.world.claims.iter().filter(|claim| claim.call == call.id()) {
            let Claimed::Controls(shown) = &claim.claim else { continue };
            findings.examine(1);
            let shown: BTreeSet<Feature> = shown.iter().copied().collect();
            let withheld = Feature::ALL.iter().copied().filter(|f| !f.is_setting() && release.withholds(*f));
            let role = case.role(call, &claim.device);
            let lock = if role == Role::Caller { call.claimed.lock.caller } else { call.claimed.lock.callee };
            // Of an exposed call each device shows what its own lock promises.
            let outcome = match call.claimed.outcome {
                Outcome::Exposed if !lock.unwrap_or(false) => Outcome::Ordinary,
                outcome => outcome,
            };
            let wrong: Vec<&str> = match outcome {
                Outcome::Sealed | Outcome::Exposed => {
                    withheld.filter(|f| shown.contains(f)).map(Feature::word).collect()
                }
                Outcome::Ordinary => withheld.filter(|f| !shown.contains(f)).map(Feature::word).collect(),
                Outcome::Ended | Outcome::NotPlaced => Vec::new(),
            };
            if !wrong.is_empty() {
                let verb = if outcome == Outcome::Ordinary { "does not show" } else { "shows" };
                let text =
                    format!("the {role} of {} {verb} the controls {}", call.expected.name, wrong.join(", "));
                findings.fail(blame(role), text, Located::default());
            }
        }
    }
}
