//! Any bytes through the door `av1`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("av1", bytes));
