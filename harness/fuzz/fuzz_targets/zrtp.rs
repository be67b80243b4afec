//! Any bytes through the door `zrtp`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("zrtp", bytes));
