//! Any bytes through the door `rtp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("rtp", bytes));
