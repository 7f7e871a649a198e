//! A text message, complete: the client replaces the one that it has.

use domain::{Message, Number, Place};
use serde::Serialize;

/// A text message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextMessage {
    /// Grows with time within its room.
    pub message_id: u64,
    parent_message_id: u64,
    user_id: u64,
    room_id: u64,
    text: String,
    created_utc: i64,
    last_edited_utc: i64,
    last_modified_utc: i64,
    markup_type: &'static str,
    message_type: &'static str,
    priority: &'static str,
    comment_count: u64,
    attachments: [(); 0],
    read_timestamps: Vec<ReadTimestamp>,
}

/// When somebody read it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadTimestamp {
    /// Who.
    pub user_id: u64,
    /// When, unix milliseconds.
    pub read_utc: i64,
}

/// A text message; none where its place does not fit a number of 53 bits. Its author has read it.
#[must_use]
pub fn text_message(message: &Message, author: Number, read: &[ReadTimestamp]) -> Option<TextMessage> {
    let parent = match &message.content.parent {
        Some(parent) => Place { seq: parent.seq, ..message.place }.packed()?,
        None => 0,
    };
    let created = message.created_at().millis();
    let own = ReadTimestamp { user_id: author.0, read_utc: created };
    let others = read.iter().filter(|one| one.user_id != author.0).cloned();
    Some(TextMessage {
        message_id: message.place.packed()?,
        parent_message_id: parent,
        user_id: author.0,
        room_id: message.place.number.0,
        text: message.content.text.clone().unwrap_or_default(),
        created_utc: created,
        last_edited_utc: message.state.edited.map_or(created, |edit| edit.at.millis()),
        last_modified_utc: message.state.edited.map_or(created, |edit| edit.at.millis()),
        markup_type: "TextPlain",
        message_type: "Regular",
        priority: "Normal",
        comment_count: message.state.replies,
        attachments: [],
        read_timestamps: std::iter::once(own).chain(others).collect(),
    })
}
