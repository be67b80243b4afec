//! The free bytes: what a listener holds that neither a protocol nor a ledger frame fixes, and in which a key could
//! stand.
//!
//! Invariant: a byte is left out only where it follows from other bytes that are looked at: ciphertext that opened
//! has no bits of its own.
