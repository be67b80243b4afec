//! A matrix of clients: every ordered pair over some variants, each pair a run of its own.
//!
//! Invariant: a pair in which nothing passed is no pass, and a pair that was not run says so.

pub mod compare;
pub mod pair;
pub mod roster;
pub mod whole;
