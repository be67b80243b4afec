//! The nouns: identities, releases, the plan, outcomes, verdicts, the run record, the results and the checks of drivers.
//!
//! Everything here parses, prints and compares, and nothing here behaves: whatever a check recomputes is
//! written once in `nodes` and once in `audit`, never here.

#[macro_use]
mod words;

pub mod attack;
pub mod audit;
mod crossing;
pub mod driver;
pub mod driver_check;
mod file_name;
pub mod flaw;
pub mod identity;
pub mod matrix;
pub mod media;
pub mod outcome;
pub mod plan;
pub mod record;
pub mod release;
pub mod results;
mod stumble;
pub mod verdict;

pub use identity::{DeviceId, Role, UserId};
pub use media::{Direction, Kind};
pub use outcome::{Listener, Outcome, Reason};
pub use plan::Plan;
#[doc(hidden)]
pub use schemars;
pub use verdict::Verdict;
pub use words::{UnknownWord, about};
