//! Any bytes through the door `datagrams`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("datagrams", bytes));
