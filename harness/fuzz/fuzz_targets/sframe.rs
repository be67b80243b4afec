//! Any bytes through the door `sframe`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("sframe", bytes));
