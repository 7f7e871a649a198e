//! See `switchboard_fuzz::codecs::ids_and_times`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::codecs::ids_and_times(data));
