//! The search: every secret that the two devices held, and any eight bytes of one, in the free bytes and along the
//! columns of streams.
//!
//! Invariant: a secret that somebody else holds by right is nobody's secret here.
