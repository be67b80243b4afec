//! Checks of what devices claim against what the plan must come to.

pub mod is_what_the_plan_comes_to;
