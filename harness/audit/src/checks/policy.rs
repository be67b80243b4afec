//! Checks of the policy server.

pub mod outcome_follows_settings;
pub mod requests_are_answered_as_documented;

mod rows;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] =
    &[&outcome_follows_settings::CHECK, &requests_are_answered_as_documented::CHECK];
