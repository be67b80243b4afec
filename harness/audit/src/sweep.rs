//! The sweep: every window of the free bytes is tried as a secret of the key schedule.
//!
//! Invariant: nothing is known of any secret here; what fits is shown by a ciphertext that opens.
