//! Builds a world from a plan, runs it, and writes the run record.
//!
//! Invariant: what a run leaves behind is readable at any moment; a world that did not run to its end says so.

pub mod check;
mod crash;
mod meddler;
mod record;
pub mod reference;
mod run;
mod seed;
mod stop;
mod twin;
mod world;

pub use meddler::Meddler;
pub use record::RecordFile;
pub use run::{Event, Planned, Run, RunError, RunSetup, Watch, Worlds};
pub use seed::variant_seed;
pub use twin::{TwinError, twin_of};
pub use world::{Introduced, Job, Outsider, declared, introduced, run_world};
