//! Checks of session descriptions against what happened on the wire.

pub mod fingerprints_match_certificates;
pub mod media_are_dtls_srtp;

use super::Check;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[&fingerprints_match_certificates::CHECK, &media_are_dtls_srtp::CHECK];
