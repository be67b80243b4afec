//! A lock is lit only where both intents were sealed and the other side confirmed.

use model::Role;
use model::plan::Profile;

use super::super::keys::{blame, views};
use crate::case::Case;
use crate::evidence::intent;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// A device that shows the lock has sent a sealed intent, was sent one by the other side, and, with the profile
    /// `frames`, was sent a confirmation.
    ///
    /// ## Why it matters
    /// A lock on an ordinary call tells people that nobody hears them while the service does.
    ///
    /// ## How it decides
    /// It passes when every lit lock has both intents behind it. It fails with the side whose lock has not. It is
    /// inconclusive when nothing of the call's signalling can be read.
    summary: "a lock is lit only in a sealed call",
    requirements: ["overheard/lock-means-sealed"],
    applies: |case| case.calls.iter().any(|call| !call.claimed.devices.is_empty()),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in case.calls.iter().filter(|call| !call.claimed.devices.is_empty()) {
        for view in views(case, call) {
            if view.sent.is_empty() && view.received.is_empty() {
                continue;
            }
            findings.examine(1);
            let lit = match view.role {
                Role::Caller => call.claimed.lock.caller,
                Role::Callee => call.claimed.lock.callee,
            };
            if !lit.unwrap_or(false) {
                continue;
            }
            let wants = |role, kind| view.from(role, kind).is_some_and(|message| intent(message) == 1);
            let kind = if view.role == Role::Caller { "confirm" } else { "reveal" };
            let missing = if !wants(Role::Caller, "offer") {
                "the caller's intent"
            } else if !wants(Role::Callee, "answer") {
                "the callee's intent"
            } else if case.plan.profile == Profile::Frames && view.heard(kind).is_none() {
                "a confirmation"
            } else {
                continue;
            };
            let text =
                format!("the {} of {} shows the lock without {missing}", view.role, call.expected.name);
            findings.fail(blame(view.role), text, Located::default());
        }
    }
}
