//! The keys that bad code invites: constants, and values that follow from what the service knows of a call.
//!
//! Invariant: a guess is made from nothing but what its listeners know.
