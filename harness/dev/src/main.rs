//! Development commands: `cargo dev …`.
fn main() {}
