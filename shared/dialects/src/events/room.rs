//! A room, complete, as one user sees it: the client replaces the one that it has.

use domain::{Conversation, Message, Number, Visibility};
use serde::Serialize;

/// A room.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    created_utc: i64,
    display_name: String,
    last_modified_utc: i64,
    /// The seed's spelling; the Rooms API and the client use `displayName`.
    name: String,
    room_id: u64,
    room_type: &'static str,
    unread_message_count: u64,
    is_archived: bool,
    is_moderator: bool,
    is_pinned: bool,
    last_message: Option<LastMessage>,
}

/// The newest message of a room.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastMessage {
    created_utc: i64,
    message_id: u64,
    user_id: u64,
}

/// What a user's view of a room adds to it.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What it is called for the user, where it has no title of its own.
    pub peer_name: Option<String>,
    /// What the user has not read.
    pub unread: u64,
    /// The user may moderate it.
    pub moderator: bool,
    /// The user has it pinned.
    pub pinned: bool,
    /// The newest message that the user may see.
    pub last: Option<LastMessage>,
}

/// The newest message of a room; none where its place does not fit a number of 53 bits.
#[must_use]
pub fn last_message(message: &Message, author: Number) -> Option<LastMessage> {
    Some(LastMessage {
        created_utc: message.created_at().millis(),
        message_id: message.place.packed()?,
        user_id: author.0,
    })
}

/// A room.
#[must_use]
pub fn room(conversation: &Conversation, facts: Facts) -> Room {
    let title = conversation.title.clone().or(facts.peer_name);
    let name = title.unwrap_or_else(|| conversation.id.as_str().to_owned());
    Room {
        created_utc: conversation.created_at.millis(),
        display_name: name.clone(),
        last_modified_utc: conversation.updated_at.millis(),
        name,
        room_id: conversation.number.0,
        room_type: match conversation.visibility() {
            Visibility::Private => "Private",
            Visibility::Public | Visibility::Open => "Public",
        },
        unread_message_count: facts.unread,
        is_archived: false,
        is_moderator: facts.moderator,
        is_pinned: facts.pinned,
        last_message: facts.last,
    }
}
