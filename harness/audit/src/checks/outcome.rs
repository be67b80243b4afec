//! Checks of what devices claim against what the plan must come to.

pub mod end_stands_on_the_wire;
pub mod is_what_the_plan_comes_to;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&is_what_the_plan_comes_to::CHECK, &end_stands_on_the_wire::CHECK];
