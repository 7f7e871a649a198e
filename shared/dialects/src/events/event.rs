//! The six events of the seed.

use domain::{Number, Place, message::Reference};
use serde::Serialize;

use super::{message::TextMessage, room::Room};

/// Something that a client is told.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Messages were written.
    TextMessagesCreated {
        /// Complete.
        messages: Vec<TextMessage>,
    },
    /// Messages were edited, read, or commented.
    TextMessagesUpdated {
        /// Complete.
        messages: Vec<TextMessage>,
    },
    /// A message was deleted.
    #[serde(rename_all = "camelCase")]
    TextMessageDeleted {
        /// The message that it was a comment of; 0 if it was none.
        parent_message_id: u64,
        /// Its room.
        room_id: u64,
        /// Itself.
        message_id: u64,
    },
    /// There is a new room for the user.
    RoomCreated {
        /// Complete.
        room: Room,
    },
    /// A room is another for the user.
    RoomUpdated {
        /// Complete.
        room: Room,
    },
    /// A room is gone for the user.
    #[serde(rename_all = "camelCase")]
    RoomDeleted {
        /// The room.
        room_id: u64,
    },
}

impl Event {
    /// A message was deleted; none where its place does not fit a number of 53 bits.
    #[must_use]
    pub fn deleted(number: Number, reference: &Reference) -> Option<Self> {
        let packed = |seq| Place { number, seq }.packed();
        Some(Self::TextMessageDeleted {
            parent_message_id: match &reference.parent {
                Some(parent) => packed(parent.seq)?,
                None => 0,
            },
            room_id: number.0,
            message_id: packed(reference.seq)?,
        })
    }

    /// The frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
