//! Channelize's v2 REST API, as its official SDK reads it.

pub mod conversation;
pub mod error;
pub mod message;
pub mod user;

use std::collections::BTreeMap;

use domain::{Message, Seq, User, UserId};

/// What a rendering needs to know beside the thing itself.
#[derive(Debug, Default)]
pub struct Scene {
    /// The users named in it.
    pub users: BTreeMap<UserId, User>,
    /// The messages that others reply to, as far as the reader may see them.
    pub parents: BTreeMap<Seq, Message>,
}
