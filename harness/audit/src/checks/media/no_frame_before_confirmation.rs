//! In a sealed call no frame is sent before the other device's confirmation has arrived.

use model::Role;
use model::plan::Profile;

use super::super::keys::{agreeing, blame, is_sealed, views};
use super::at_senders;
use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In a call with a key agreement, no media frame stands at its sender's tap before the other device's
    /// confirmation has crossed the sender's link.
    ///
    /// ## Why it matters
    /// Before the confirmation a device does not know that the other one has the same key; what it sends then may be
    /// for somebody else.
    ///
    /// ## How it decides
    /// It passes when every frame is later than the confirmation that its sender received. It fails with those that
    /// are earlier, or that had no confirmation at all. It is inconclusive when there is no frame.
    summary: "no frame is sent before the confirmation",
    requirements: ["overheard/confirmation-before-media"],
    applies: |case| {
        case.plan.profile == Profile::Frames && agreeing(case).any(|call| !call.claimed.devices.is_empty())
    },
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in agreeing(case).filter(|call| !call.claimed.devices.is_empty()) {
        for view in views(case, call).into_iter().filter(|view| is_sealed(call, view)) {
            let kind = if view.role == Role::Caller { "confirm" } else { "reveal" };
            let confirmed = view.heard(kind).map(|message| message.at_ns);
            let mut early = Located::default();
            for (media, frame, book) in at_senders(case, call) {
                if case.role(call, &book.device) != view.role {
                    continue;
                }
                findings.examine(1);
                if confirmed.is_none_or(|confirmed| frame.at_ns < confirmed) {
                    let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
                    packets.for_each(|packet| early.add(case.evidence.located(packet.index)));
                }
            }
            if !early.packets.is_empty() {
                let text = format!(
                    "the {} of {} sends media before it has a confirmation",
                    view.role, call.expected.name
                );
                findings.fail(blame(view.role), text, early);
            }
        }
    }
}
