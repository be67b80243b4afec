//! Checks of what goes beside a call.

pub mod says_not_sealed;
