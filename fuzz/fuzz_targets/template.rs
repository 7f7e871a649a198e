//! See `switchboard_fuzz::runner::template`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::runner::template(data));
