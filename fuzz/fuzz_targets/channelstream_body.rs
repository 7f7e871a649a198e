//! See `switchboard_fuzz::codecs::channelstream_body`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::codecs::channelstream_body(data));
