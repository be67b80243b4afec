//! Any bytes through the door `websocket`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::through("websocket", bytes));
