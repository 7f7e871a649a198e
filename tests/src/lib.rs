//! Everything tried through the front door.
//!
//! The tests themselves are one binary, `tests/all`; here is what they share.

pub mod access;
pub mod cost;
pub mod simulation;
