//! Any bytes through the door `http`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("http", bytes));
