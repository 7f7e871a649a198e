//! The runner through its front door, with toy functions: what API Gateway, Lambda and the stream promise.
//!
//! Deliberately nothing about messaging: that is tried in the package `tests`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets the unexpected should fail there"
)]

mod bench;
mod http;
mod kill;
mod program;
mod queue;
mod socket;
mod stream;
mod world;
