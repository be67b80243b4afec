//! Any bytes through the door `red`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("red", bytes));
