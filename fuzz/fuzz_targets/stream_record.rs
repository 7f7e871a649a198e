//! See `switchboard_fuzz::event::stream_record`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::event::stream_record(data));
