//! Checks of DTLS handshakes.

pub mod version_and_profile_are_strong;
