//! Checks of what goes beside a call.

pub mod says_not_sealed;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&says_not_sealed::CHECK];
