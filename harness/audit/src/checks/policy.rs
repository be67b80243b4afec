//! Checks of the policy server.

pub mod requests_are_answered_as_documented;
