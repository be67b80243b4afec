//! Any bytes through the door `sdp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("sdp", bytes));
