//! Evidence built by hand for tests: captures, packets and keys. Never part of the judge.

mod capture_builder;
pub mod plans;

pub use capture_builder::CaptureBuilder;
