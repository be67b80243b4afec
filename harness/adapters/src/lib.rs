//! Clients made by others, behind the driver protocol: what is said, the process that says it, and its way into the
//! network.
//!
//! Invariant: whatever a driver does wrong is its own [`Fault`]; nothing that it prints, leaves out or floods can stop
//! the harness or be put down to its peer.

pub mod access;
pub mod driver;
mod fault;
pub mod keys;
mod lines;
pub mod process;
pub mod protocol;

pub use access::Access;
pub use driver::{Driver, Happening};
pub use fault::Fault;
pub use process::Command;
