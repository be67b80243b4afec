//! Checks that what only the two devices may know stands nowhere that others read.

pub mod nothing_readable_holds_a_key;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&nothing_readable_holds_a_key::CHECK];
