//! In a sealed call every frame that is sent is sealed, and none that is not is played.

use std::collections::BTreeMap;

use model::plan::Profile;
use model::{Kind, Role};

use super::super::keys::blame;
use super::{at_senders, lit, sealed};
use crate::case::Case;
use crate::evidence::Inside;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In a call of the profile `frames`, every media frame at the tap of a sender whose lock is lit is SFrame.
    ///
    /// ## Why it matters
    /// A single open frame is heard by whoever ends the hop, and nobody sees it on the screen.
    ///
    /// ## How it decides
    /// It passes when every frame is sealed. It fails with the side, the kind and the packets that are not. It is
    /// inconclusive when there is no frame.
    summary: "every frame of a sealed call is sealed",
    requirements: ["overheard/sealed-frames-only"],
    applies: |case| case.plan.profile == Profile::Frames && sealed(case).next().is_some(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in sealed(case) {
        let mut open: BTreeMap<(Role, Kind), (u64, Located)> = BTreeMap::new();
        for (media, frame, book) in at_senders(case, call) {
            let role = case.role(call, &book.device);
            if !lit(call, role) {
                continue;
            }
            findings.examine(1);
            if matches!(frame.inside, Inside::Sealed { .. }) {
                continue;
            }
            let entry = open.entry((role, book.kind)).or_default();
            entry.0 += 1;
            let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
            packets.for_each(|packet| entry.1.add(case.evidence.located(packet.index)));
        }
        for ((role, kind), (frames, located)) in open {
            let text =
                format!("the {role} sends {frames} {kind} frames without a seal in {}", call.expected.name);
            findings.fail(blame(role), text, located);
        }
    }
}
