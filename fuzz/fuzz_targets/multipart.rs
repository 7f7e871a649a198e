//! See `switchboard_fuzz::codecs::multipart`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::codecs::multipart(data));
