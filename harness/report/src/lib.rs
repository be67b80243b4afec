//! Renders a judged run, one format per file.
//!
//! A report is a pure function of [`model::results::Results`] and [`Options`]: nothing here reads a clock, a
//! file or the environment, so a saved run renders to the same bytes again. Every format carries the sentence
//! that says what a pass does not say.

pub mod audit;
pub mod catalogue;
mod closing;
pub mod driver_check;
pub mod format;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
mod legible;
pub mod matrix;
pub mod options;
mod page;
#[cfg(test)]
mod sample;
mod story;
pub mod terminal;
mod utc;

pub use audit::redact::Pseudonyms;
pub use audit::{AUDIT_FORMATS, AuditFormat};
pub use catalogue::{Catalogue, CheckEntry, RequirementEntry};
pub use driver_check::{DRIVER_FORMATS, DriverFormat};
pub use format::{FORMATS, Format, RenderError};
pub use matrix::{MATRIX_FORMATS, MatrixFormat, MatrixOptions};
pub use options::{Options, Origin};
pub use story::quoted;
