//! The code on each screen is the one that follows from what the device saw.

use model::Role;
use model::plan::Profile;

use super::{blame, views};
use crate::agreement::DtlsCall;
use crate::case::{Call, Case};
use crate::evidence::View;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Each screen shows the code that the judge recomputes: of `frames` from the offer, answer and reveal that
    /// crossed this device's link, of `dtls` from the certificates that its handshake presented.
    ///
    /// ## Why it matters
    /// Two people who compare codes rely on the code to depend on every key and name. A code made of less lets a man
    /// in the middle keep both screens alike.
    ///
    /// ## How it decides
    /// It passes when every code that was shown is the recomputed one. It fails when one is not. It is inconclusive
    /// when the signalling or the handshake of a shown code cannot be read. What stands on a screen is the client's
    /// word.
    summary: "each screen shows the code that the judge recomputes",
    requirements: ["overheard/code-depends-on-everything"],
    applies: |case| {
        let claims = |call: &Call<'_>| call.claimed.code.caller.is_some() || call.claimed.code.callee.is_some();
        // How a vendor's own scheme makes its code is not known.
        case.plan.profile != Profile::Own && case.calls.iter().any(claims)
    },
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in &case.calls {
        for view in views(case, call) {
            let shown = match view.role {
                Role::Caller => &call.claimed.code.caller,
                Role::Callee => &call.claimed.code.callee,
            };
            let Some(shown) = shown else { continue };
            let recomputed = match case.plan.profile {
                Profile::Dtls => of_handshake(case, call, &view),
                Profile::Frames | Profile::Own => view.security_code().map(|code| code.to_string()),
            };
            match recomputed {
                None => findings.doubt(format!(
                    "the code of the {} in {} cannot be recomputed; run the scenario again with its keys kept",
                    view.role, call.expected.name
                )),
                Some(code) => {
                    findings.examine(1);
                    if code != *shown {
                        let text = format!("the {} of {} shows a code that does not follow", view.role, call.expected.name);
                        findings.fail(blame(view.role), text, Located::default());
                    }
                }
            }
        }
    }
}

/// The code of `dtls` from the certificates in the handshake at the device's own link.
fn of_handshake(case: &Case<'_>, call: &Call<'_>, view: &View<'_>) -> Option<String> {
    let (evidence, record) = (case.evidence, call.record?);
    let device = match view.role {
        Role::Caller => &record.caller,
        Role::Callee => record.callee.as_ref()?,
    };
    let interface = evidence.interface(device)?;
    let association = evidence.associations.iter().find(|association| {
        association.flow.interface == interface
            && case.media_of(call).any(|media| media.stream.flow.undirected() == association.flow)
    })?;
    let own_flow =
        if evidence.is_outgoing(association.flow) { association.flow } else { association.flow.reversed() };
    let own = association.sender(own_flow).fingerprint?;
    let other = association.sender(own_flow.reversed()).fingerprint?;
    let offer = view.from(Role::Caller, "offer")?;
    let caller: model::UserId = offer.text_of("from").parse().ok()?;
    let callee: model::UserId = offer.json.get("to")?.get(0)?.as_str()?.parse().ok()?;
    let (caller_fingerprint, callee_fingerprint) =
        if view.role == Role::Caller { (own, other) } else { (other, own) };
    let code = DtlsCall {
        call_id: hex::decode(call.id()).ok()?.try_into().ok()?,
        caller: caller.to_string(),
        caller_tenant: caller.tenant,
        callee: callee.to_string(),
        callee_tenant: callee.tenant,
        caller_fingerprint,
        callee_fingerprint,
    };
    code.security_code().ok().map(|code| code.to_string())
}
