//! See `switchboard_fuzz::event::lambda_event`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::event::lambda_event(data));
