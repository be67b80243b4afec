//! Checks that what only the two devices may know stands nowhere that others read.

pub mod nothing_readable_holds_a_key;
