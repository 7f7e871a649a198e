//! The endpoints of one dialect: see `switchboard_fuzz::world::ask`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::world::ask(domain::Dialect::Nkchat, data));
