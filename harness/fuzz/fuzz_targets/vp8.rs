//! Any bytes through the door `vp8`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("vp8", bytes));
