//! Checks of the policy server.

pub mod outcome_follows_settings;
pub mod requests_are_answered_as_documented;

mod rows;
