//! Any bytes through the door `segments`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("segments", bytes));
