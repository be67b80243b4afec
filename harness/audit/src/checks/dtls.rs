//! Checks of DTLS handshakes.

pub mod handshake_ends_before_media;
pub mod suite_is_forward_secret;
pub mod version_and_profile_are_strong;

use model::results::Blame;

use super::Check;
use crate::case::Case;

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[
    &version_and_profile_are_strong::CHECK,
    &suite_is_forward_secret::CHECK,
    &handshake_ends_before_media::CHECK,
];

/// Why nothing is said of a protection profile.
pub const PROFILE_UNREAD: &str =
    "the SRTP profile of a handshake of DTLS 1.3 is encrypted; have a device export its handshake secrets";

/// The blame for what the end behind `tap` does.
fn blame(case: &Case<'_>, tap: &str) -> Blame {
    let calls = || case.calls.iter().filter_map(|call| call.record);
    if calls().any(|call| call.caller.to_string() == tap) {
        Blame::Caller
    } else if calls().any(|call| call.callee.as_ref().is_some_and(|callee| callee.to_string() == tap)) {
        Blame::Callee
    } else {
        tap.parse().unwrap_or(Blame::Harness)
    }
}
