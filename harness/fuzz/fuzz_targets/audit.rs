//! Any bytes through the door `audit`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("audit", bytes));
