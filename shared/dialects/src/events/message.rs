//! A text message, complete: the client replaces the one that it has.

use domain::{Message, Number, Place};
use serde::Serialize;

use super::attachment::{self, Attachment};

/// A text message.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextMessage {
    attachments: Vec<Attachment>,
    comment_count: u64,
    created_utc: i64,
    last_edited_utc: i64,
    last_modified_utc: i64,
    markup_type: &'static str,
    /// Grows with time within its room.
    pub message_id: u64,
    message_type: &'static str,
    parent_message_id: u64,
    priority: &'static str,
    room_id: u64,
    text: String,
    user_id: u64,
    read_timestamps: Vec<ReadTimestamp>,
}

/// When somebody read it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadTimestamp {
    /// When, unix milliseconds.
    pub read_utc: i64,
    /// Who.
    pub user_id: u64,
}

/// A text message; none where its place does not fit a number of 53 bits. Its author has read it.
#[must_use]
pub fn text_message(message: &Message, author: Number, read: &[ReadTimestamp]) -> Option<TextMessage> {
    let parent = match &message.content.parent {
        Some(parent) => Place { seq: parent.seq, ..message.place }.packed()?,
        None => 0,
    };
    let created = message.created_at().millis();
    let edited = message.state.edited.map_or(created, |edit| edit.at.millis());
    let own = ReadTimestamp { user_id: author.0, read_utc: created };
    let others = read.iter().filter(|one| one.user_id != author.0).cloned();
    Some(TextMessage {
        attachments: attachment::of(message),
        comment_count: message.state.replies,
        created_utc: created,
        last_edited_utc: edited,
        last_modified_utc: edited,
        markup_type: "TextPlain",
        message_id: message.place.packed()?,
        message_type: "Regular",
        parent_message_id: parent,
        priority: "Normal",
        room_id: message.place.number.0,
        text: message.content.text.clone().unwrap_or_default(),
        user_id: author.0,
        read_timestamps: std::iter::once(own).chain(others).collect(),
    })
}
