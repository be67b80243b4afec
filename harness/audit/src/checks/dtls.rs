//! Checks of DTLS handshakes.

pub mod suite_is_forward_secret;
pub mod version_and_profile_are_strong;
