//! Any bytes through the door `dtls`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("dtls", bytes));
