//! Any bytes through the door `key-file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("key-file", bytes));
