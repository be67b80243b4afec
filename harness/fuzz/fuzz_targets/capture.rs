//! Any bytes through the door `capture`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("capture", bytes));
