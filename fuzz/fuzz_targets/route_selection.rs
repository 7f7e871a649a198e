//! See `switchboard_fuzz::runner::route_selection`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::runner::route_selection(data));
