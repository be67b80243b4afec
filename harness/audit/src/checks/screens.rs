//! Checks of what screens show, which is the client's word.

pub mod lock_only_when_sealed;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&lock_only_when_sealed::CHECK];
