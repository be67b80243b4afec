//! Any bytes through the door `layers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("layers", bytes));
