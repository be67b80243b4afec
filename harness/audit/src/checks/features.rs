//! Checks of features: what is shown, what is refused, what works.

pub mod are_withheld_as_the_release_says;
pub mod controls_match_the_release;
