//! Checks of features: what is shown, what is refused, what works.

pub mod are_withheld_as_the_release_says;
pub mod controls_match_the_release;
pub mod settings_stay_out_of_sealed_calls;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[
    &controls_match_the_release::CHECK,
    &are_withheld_as_the_release_says::CHECK,
    &settings_stay_out_of_sealed_calls::CHECK,
];
