//! The proof legs: what a pass rests on (design, section 3).
//!
//! Invariant: which legs apply follows from the outcome that the devices claim, by the design's table.

pub mod canary;
pub mod complete;
pub mod fresh;
pub mod heard;
pub mod twin;
pub mod unaltered;
pub mod unheard;

use std::collections::BTreeSet;

use model::outcome::Outcome;

use super::Check;
use crate::case::{Call, Case};

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[
    &complete::CHECK,
    &heard::CHECK,
    &unheard::CHECK,
    &unaltered::CHECK,
    &canary::CHECK,
    &fresh::CHECK,
    &twin::CHECK,
];

/// The names of the legs, in the order of the design.
pub const LEGS: [&str; 7] = ["complete", "heard", "unheard", "unaltered", "canary", "fresh", "twin"];

/// Values that must serve one call only, as hashes by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Kind of value and SHA-256 of it.
    pub values: BTreeSet<(String, [u8; 32])>,
}

/// Whether a call of this outcome carries media to be judged.
pub fn carries_media(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Sealed | Outcome::Ordinary | Outcome::Exposed)
}

/// Calls of the case that carry media by what is claimed of them.
pub fn carrying<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = &'c Call<'a>> {
    case.calls.iter().filter(|call| carries_media(call.claimed.outcome))
}
