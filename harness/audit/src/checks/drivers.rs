//! Checks of clients made by others, beside those that every client is under.

pub mod answer_honestly;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&answer_honestly::CHECK];
