//! Any bytes through the door `tls13`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("tls13", bytes));
