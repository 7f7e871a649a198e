//! What no bytes from outside may do: panic, take long, or be read as something that is written differently.
//!
//! # Layout
//! - [`codecs`]: tokens, signatures, frames, forms, ids and times: pure functions of bytes.
//! - [`event`]: Lambda's events, and the images of a stream's records.
//! - [`runner`]: what the runner reads: route selection expressions, filter patterns, templates.
//! - [`world`]: every endpoint of a dialect, over a table in memory, with listeners of all dialects.
//!
//! A target in `fuzz_targets/` is one call of a function here. `fuzz/run SECONDS` gives each of them that long,
//! beginning with what `fuzz/seeds` makes of the recorded exchanges and samples.

pub mod codecs;
pub mod event;
pub mod runner;
pub mod world;
