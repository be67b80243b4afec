//! The binary `overheard`.
fn main() {}
