//! One file per command; each says how it ended or why it could not go on.

pub mod audit;
pub mod client;
pub mod driver;
pub mod explain;
pub mod judge;
pub mod list;
pub mod matrix;
pub mod merge;
pub mod run;
pub mod schema;
