//! Development commands: what reviewers would otherwise have to look for.
//!
//! Every rule is a function from a tree of files to violations, and each violation says what to do about it.

pub mod gallery;
pub mod generate;
pub mod tidy;
pub mod tree;
