//! Any bytes through the door `turn`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("turn", bytes));
