//! No media frame flows before the callee has answered.

use super::super::keys::blame;
use super::at_senders;
use crate::case::{Call, Case};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// No media frame stands at its sender's tap before the callee's answer has crossed the callee's link.
    ///
    /// ## Why it matters
    /// A device that sends before a person has accepted is a listening device.
    ///
    /// ## How it decides
    /// It passes when every frame is later than the answer. It fails with those that are earlier. It is inconclusive
    /// when there is no frame, or no answer can be read.
    summary: "no media flow before the answer",
    requirements: ["overheard/no-media-before-answer"],
    applies: |case| answered(case).next().is_some(),
    judge: judge,
}

/// Calls with a frame that a person took; a telephone number takes its calls inside the service, without a message.
fn answered<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = &'c Call<'a>> {
    case.calls.iter().filter(|call| !call.claimed.devices.is_empty() && !call.expected.to.is_empty())
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in answered(case) {
        let mut messages = case.evidence.signalling.of_call(call.id());
        let Some(answer) = messages.find(|message| message.kind() == "answer" && message.from_client) else {
            let name = &call.expected.name;
            findings
                .doubt(format!("no answer of {name} can be read; run the scenario again with its keys kept"));
            continue;
        };
        for side in [model::Role::Caller, model::Role::Callee] {
            let mut early = Located::default();
            for (media, frame, book) in
                at_senders(case, call).filter(|(_, _, b)| case.role(call, &b.device) == side)
            {
                findings.examine(u64::from(!book.frames.is_empty()));
                if frame.at_ns < answer.at_ns {
                    let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
                    packets.for_each(|packet| early.add(case.evidence.located(packet.index)));
                }
            }
            if !early.packets.is_empty() {
                let text = format!("the {side} of {} sends media before the answer", call.expected.name);
                findings.fail(blame(side), text, early);
            }
        }
    }
}
