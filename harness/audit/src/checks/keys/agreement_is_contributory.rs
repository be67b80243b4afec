//! No call is sealed under a shared secret to which a device contributed nothing.

use model::{Outcome, Role};

use super::{agreeing, blame, views};
use crate::agreement::{is_contributory, is_low_order};
use crate::case::Case;
use crate::evidence::bytes;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In a call that carries sealed media no device was sent a public key of low order, and no shared secret that was
    /// handed over is all zero.
    ///
    /// ## Why it matters
    /// With such a key the shared secret is zero whatever the device's own secret is, and everybody knows it.
    ///
    /// ## How it decides
    /// It passes when every key and secret is contributory. It fails with the side that accepted one. It is
    /// inconclusive when no agreement can be read.
    summary: "both devices contribute to the shared secret",
    requirements: ["overheard/both-devices-contribute", "rfc7748/6.1/all-zero-check"],
    applies: |case| agreeing(case).next().is_some(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in agreeing(case) {
        let goes_on = matches!(call.claimed.outcome, Outcome::Sealed | Outcome::Exposed);
        for view in views(case, call) {
            let kind = if view.role == Role::Caller { "answer" } else { "reveal" };
            let Some(public) = view.heard(kind).and_then(|message| bytes(message, "epk")) else { continue };
            findings.examine(1);
            if goes_on && is_low_order(&public) {
                let text =
                    format!("the {} of {} goes on with a key of low order", view.role, call.expected.name);
                findings.fail(blame(view.role), text, Located::default());
            }
        }
    }
    for (_, z, _) in case.evidence.keys.agreed() {
        findings.examine(1);
        if !is_contributory(z) {
            findings.fail(blame(Role::Caller), "a shared secret is all zero", Located::default());
        }
    }
}
