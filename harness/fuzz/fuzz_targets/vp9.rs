//! Any bytes through the door `vp9`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("vp9", bytes));
