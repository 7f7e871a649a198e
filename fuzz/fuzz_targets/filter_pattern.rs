//! See `switchboard_fuzz::runner::filter_pattern`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::runner::filter_pattern(data));
