//! Checks of session descriptions against what happened on the wire.

pub mod fingerprints_match_certificates;
