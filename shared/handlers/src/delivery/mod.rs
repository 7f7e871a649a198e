//! From the table's stream to the sockets: the only way out.
//!
//! [`fan_out`] is the function that the stream calls. [`stage`] gathers, for one conversation and one batch,
//! what happened and who may hear of it. Each dialect's `frames` puts that into its words. [`post`] posts.
//! [`notices`] are what follows from an entry for somebody else.
//!
//! # Invariants
//! - A connection gets the entries of a conversation in the order of their numbers.
//! - What cannot be read fails the batch from that record on, and Lambda brings it again: nothing is skipped.
//! - One dead or slow socket delays nobody: a dead one is forgotten, a slow one is closed when its deadline is
//!   over, so that its client comes back and resumes.

pub mod fan_out;
pub mod notices;
pub mod post;
pub mod stage;

use crate::endpoint::Endpoint;

/// The functions that deliver.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![&fan_out::ENDPOINT]
}
