//! Checks of the key agreement, recomputed from the signalling.

pub mod agreement_is_contributory;
pub mod commitment_is_kept;
pub mod confirmations_are_recomputed;
pub mod one_of_two_crossing_offers_stands;
pub mod security_code_is_recomputed;

use model::Role;
use model::results::Blame;

use super::Check;
use crate::case::{Call, Case};
use crate::evidence::{View, intent};

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[
    &security_code_is_recomputed::CHECK,
    &commitment_is_kept::CHECK,
    &agreement_is_contributory::CHECK,
    &confirmations_are_recomputed::CHECK,
    &one_of_two_crossing_offers_stands::CHECK,
];

/// The blame for what a side does.
pub(super) fn blame(role: Role) -> Blame {
    match role {
        Role::Caller => Blame::Caller,
        Role::Callee => Blame::Callee,
    }
}

/// Both sides of a call with what each saw of its signalling.
pub(super) fn views<'c>(case: &'c Case<'_>, call: &'c Call<'_>) -> Vec<View<'c>> {
    let Some(record) = call.record else { return Vec::new() };
    let sides = [(Role::Caller, Some(&record.caller)), (Role::Callee, record.callee.as_ref())];
    let view = |(role, device): (Role, Option<&model::DeviceId>)| {
        device.map(|device| View::of(case.evidence, &device.to_string(), role, &record.call))
    };
    sides.into_iter().filter_map(view).collect()
}

/// Whether a device takes the call for a sealed one: it shows the lock, or both intents are sealed from where it
/// stands. A stripped intent leaves it in an ordinary call.
pub(super) fn is_sealed(call: &Call<'_>, view: &View<'_>) -> bool {
    let lock = match view.role {
        Role::Caller => call.claimed.lock.caller,
        Role::Callee => call.claimed.lock.callee,
    };
    let sealed = |role, kind| view.from(role, kind).is_some_and(|message| intent(message) == 1);
    lock.unwrap_or(false) || sealed(Role::Caller, "offer") && sealed(Role::Callee, "answer")
}

/// Calls in which a key agreement of `frames` ran to its reveal.
pub(super) fn agreeing<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = &'c Call<'a>> {
    case.calls.iter().filter(|call| case.evidence.signalling.of_call(call.id()).any(|m| m.kind() == "reveal"))
}
