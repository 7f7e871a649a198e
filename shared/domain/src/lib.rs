//! What a messaging system is: conversations, logs, members, messages, and who may see what.
//!
//! # Layout
//! - [`ids`]: what things are called, and the message id that carries its place.
//! - [`conversation`], [`member`], [`message`], [`user`]: the nouns.
//! - [`entry`]: what happened, one numbered entry of a conversation's log.
//! - [`channel`]: a conversation as a channel of the Channelstream dialect.
//! - [`topic`]: what a connection can subscribe to.
//! - [`visibility`]: **the** predicate: who may see an entry. Live frames, history, counts and resume all ask it.
//! - [`permission`]: who may do what.
//! - [`error`], [`limits`], [`time`], [`dialect`].
//!
//! # Invariants
//! - Pure: no async, no AWS, no clock, no randomness. Time and random bits come in as arguments.
//! - A value of an id type was checked when it was made; past the edge of a request nothing is unchecked.

pub mod channel;
pub mod conversation;
pub mod dialect;
pub mod entry;
pub mod error;
pub mod ids;
pub mod limits;
pub mod member;
pub mod message;
pub mod permission;
#[cfg(test)]
mod properties;
pub mod ranges;
pub mod time;
pub mod topic;
pub mod user;
pub mod visibility;

pub use conversation::{Conversation, Openness, Visibility};
pub use dialect::Dialect;
pub use entry::{Entry, Event};
pub use error::Error;
pub use ids::{ConversationId, MessageId, Number, Place, Seq, UserId};
pub use member::{Member, Role, Standing};
pub use message::{Audience, Message};
pub use time::Timestamp;
pub use topic::Topic;
pub use user::User;

/// A JSON object whose keys are the caller's own.
pub type Object = serde_json::Map<String, serde_json::Value>;
