//! Messages of the REST.

use domain::{ConversationId, Message};
use serde::Serialize;

/// A message.
#[derive(Debug, Clone, Serialize)]
pub struct Text {
    channel_id: String,
    message_id: String,
    parent_message_id: Option<String>,
    user_id: String,
    username: Option<String>,
    content: String,
    reply_count: u64,
    created_at: String,
    updated_at: String,
}

/// The message, its author under that name.
#[must_use]
pub fn text(channel: &ConversationId, message: &Message, username: Option<String>) -> Text {
    Text {
        channel_id: channel.as_str().to_owned(),
        message_id: message.id.as_str().to_owned(),
        parent_message_id: message.content.parent.as_ref().map(|parent| parent.id.as_str().to_owned()),
        user_id: message.author.as_str().to_owned(),
        username,
        content: content(message),
        reply_count: message.state.replies,
        created_at: message.created_at().to_iso(),
        updated_at: message.updated_at().to_iso(),
    }
}

/// What a message says in this dialect: its text. One of attachments or of other keys alone says nothing.
#[must_use]
pub fn content(message: &Message) -> String {
    message.content.text.clone().unwrap_or_default()
}
