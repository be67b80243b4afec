//! Checks of what screens show, which is the client's word.

pub mod lock_only_when_sealed;
