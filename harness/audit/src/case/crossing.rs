//! Which of two calls that cross stands, worked out of the offers in the capture (design, section 1.6, step 9).
//!
//! Invariant: what the devices made of it is not asked here.

use std::cmp::Ordering;

use model::Plan;
use model::outcome::{Outcome, Reason};
use model::plan::{Codes, Sides};

use crate::evidence::{Evidence, Message, bytes};
use crate::oracle::ExpectedCall;

/// Of two offers that cross the smaller one stands: by commitment, or where one of them has none, by call id.
pub fn order(offer: &Message, other: &Message) -> Ordering {
    let ids = || offer.text_of("call").cmp(other.text_of("call"));
    match (bytes(offer, "commit"), bytes(other, "commit")) {
        (Some(commit), Some(others)) => commit.cmp(&others).then_with(ids),
        _ => ids(),
    }
}

/// Lets the call whose offer does not stand come to `not-placed` with the reason `busy`, and the other one to what the
/// steps behind both make of it. Where the offers cannot be read, neither changes.
pub fn settle(plan: &Plan, evidence: &Evidence<'_>, calls: &mut [ExpectedCall]) {
    for [earlier, later] in plan.crossings() {
        let (Some(first), Some(second)) = (offer(plan, evidence, earlier), offer(plan, evidence, later))
        else {
            continue;
        };
        let (stands, falls) = if order(first, second).is_lt() { (earlier, later) } else { (later, earlier) };
        // The steps that follow are about the later call, whichever stands.
        if let Some(told) = calls.get(later).cloned()
            && let Some(call) = calls.get_mut(stands)
        {
            call.talks |= told.talks;
            if call.outcome == told.outcome {
                (call.devices, call.heard) = (told.devices, told.heard);
            }
        }
        if let Some(call) = calls.get_mut(falls) {
            (call.outcome, call.because) = (Outcome::NotPlaced, vec![Reason::Busy]);
            (call.lock, call.codes, call.relayed) = (Sides::None, Codes::None, Sides::None);
            (call.devices, call.talks) = (Some(0), false);
            call.heard.clear();
        }
    }
}

/// The offer of a call as the device that calls sent it.
fn offer<'e>(plan: &Plan, evidence: &'e Evidence<'_>, index: usize) -> Option<&'e Message> {
    let name = plan.calls.get(index)?;
    let record = evidence.world.calls.iter().find(|record| record.name == *name)?;
    let messages = &evidence.signalling.messages;
    messages.iter().find(|m| m.from_client && m.kind() == "offer" && m.text_of("call") == record.call)
}
