//! See `switchboard_fuzz::codecs::nkchat_frame`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::codecs::nkchat_frame(data));
