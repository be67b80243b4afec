//! What kept a world from running to its end, and who is to blame.

use serde::{Deserialize, Serialize};

words! {
    /// Who a stumble is put down to.
    pub enum Blamed {
        /// The caller's client.
        Caller = "caller",
        /// The callee's client.
        Callee = "callee",
        /// The network.
        Network = "network",
        /// A client made by others, or the program that drives it.
        Driver = "driver",
        /// The harness itself.
        Harness = "harness",
    }
}

/// What kept a world from running to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stumble {
    /// When.
    pub at_ns: u64,
    /// Who.
    pub blame: Blamed,
    /// What happened, in one sentence without random values.
    pub text: String,
}
