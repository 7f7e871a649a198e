//! From the table's stream to the sockets, and to the owner's own systems: the only way out.
//!
//! # Layout
//! - [`fan_out`] is the function that the stream calls. [`stage`] gathers, for one conversation and one batch, what
//!   happened and who may hear of it; each dialect's `frames` puts that into its words ([`due`]); [`post`] posts.
//! - A large audience is not served by the fan-out: [`division`] cuts it into shards, a [`chunk`] for each travels
//!   through a topic and a queue, and [`deliver`] serves one shard as the fan-out serves a whole audience.
//! - [`announce`] tells the owner's topic of every entry.
//! - [`road`] has the settings and the pace, [`topic`] publishes, [`notices`] are what follows from an entry for
//!   somebody else.
//!
//! # Invariants
//! - A connection gets the entries of a conversation in the order of their numbers, whichever way they take.
//! - What cannot be read fails the batch from that record on, and Lambda brings it again: nothing is skipped.
//! - One dead or slow socket delays nobody: a dead one is forgotten, a slow one is closed when its deadline is
//!   over, so that its client comes back and resumes.

pub mod announce;
pub mod chunk;
pub mod deliver;
pub mod division;
pub mod due;
pub mod fan_out;
pub mod farewell;
pub mod notices;
pub mod originals;
pub mod post;
pub mod road;
pub mod stage;
pub mod topic;

use crate::endpoint::Endpoint;

/// The functions that deliver.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![&fan_out::ENDPOINT, &deliver::ENDPOINT, &announce::ENDPOINT]
}
