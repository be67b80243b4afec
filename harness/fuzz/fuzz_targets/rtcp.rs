//! Any bytes through the door `rtcp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("rtcp", bytes));
