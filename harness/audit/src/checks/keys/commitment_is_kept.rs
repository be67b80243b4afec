//! A caller reveals what it committed to, and a call with another reveal does not go on.

use model::{Outcome, Role};

use super::{agreeing, blame, views};
use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In every call that carries sealed media, the key and nonce that reached each device in the reveal hash to the
    /// commitment that reached it in the offer.
    ///
    /// ## Why it matters
    /// The commitment is what leaves a man in the middle one guess at the code. A callee that does not check it gives
    /// her as many as she can compute.
    ///
    /// ## How it decides
    /// It passes when every reveal fits. It fails when one does not and the locks were lit all the same. It is
    /// inconclusive when no agreement can be read.
    summary: "what is revealed was committed to",
    requirements: ["overheard/commitment-is-checked"],
    applies: |case| agreeing(case).next().is_some(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in agreeing(case) {
        for view in views(case, call) {
            let Some(signalled) = view.signalled() else { continue };
            findings.examine(1);
            let carries = matches!(call.claimed.outcome, Outcome::Sealed | Outcome::Exposed);
            if carries && view.role == Role::Callee && !signalled.keeps_commitment() {
                let text = format!(
                    "the callee of {} goes on although the reveal breaks the commitment",
                    call.expected.name
                );
                findings.fail(blame(view.role), text, Located::default());
            }
        }
    }
}
