//! A channel of the REST, and a page of a list.

use domain::{Conversation, Visibility};
use serde::Serialize;

use super::event;

/// A channel.
#[derive(Debug, Clone, Serialize)]
pub struct Channel {
    channel_id: String,
    channel_name: String,
    description: Option<String>,
    visibility: Visibility,
    created_at: String,
    updated_at: String,
    member_count: u64,
}

/// The conversation as a channel.
#[must_use]
pub fn channel(conversation: &Conversation) -> Channel {
    Channel {
        channel_id: conversation.id.as_str().to_owned(),
        channel_name: event::name(conversation),
        description: conversation.description.clone(),
        visibility: conversation.visibility(),
        created_at: conversation.created_at.to_iso(),
        updated_at: conversation.updated_at.to_iso(),
        member_count: conversation.members,
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next_cursor: Option<String>,
}
