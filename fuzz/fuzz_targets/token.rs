//! See `switchboard_fuzz::codecs::token`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::codecs::token(data));
