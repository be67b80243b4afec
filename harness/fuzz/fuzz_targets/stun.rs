//! Any bytes through the door `stun`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("stun", bytes));
