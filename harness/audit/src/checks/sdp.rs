//! Checks of session descriptions against what happened on the wire.

pub mod fingerprints_match_certificates;
pub mod media_are_dtls_srtp;
