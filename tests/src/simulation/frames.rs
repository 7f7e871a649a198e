//! What a frame of each dialect tells of: which entry, or which message and what became of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::Event;

/// Something that a frame tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// An entry of a room, by its number; and what kind of thing it is called.
    Entry(String, u64, String),
    /// An entry of a log of notices, by its number; what kind of thing it is called, and the room that it names.
    Notice(String, u64, String, String),
    /// That a message was written, by its place.
    Written(String, u64),
    /// That something became of a message: an entry about it, by what it is called in the log.
    About(String, u64, &'static str),
    /// A message, shown once more.
    Shown(String, u64),
    /// Something passing in a room: who types.
    Passing(String),
    /// A message that is in no log.
    Unknown(String),
}

/// What is known of the rooms.
#[derive(Debug, Clone, Default)]
pub struct Index {
    /// Rooms by number.
    pub rooms: BTreeMap<u64, String>,
    /// Messages by id.
    pub messages: BTreeMap<String, (String, u64)>,
}

impl Index {
    fn message(&self, id: Option<&Value>, told: impl Fn(String, u64) -> Told) -> Told {
        let id = id.and_then(Value::as_str).unwrap_or_default();
        match self.messages.get(id) {
            Some((room, seq)) => told(room.clone(), *seq),
            None => Told::Unknown(id.to_owned()),
        }
    }

    /// A message by its place, packed into one number: 27 bits are the entry's.
    fn packed(&self, id: Option<&Value>, told: impl Fn(String, u64) -> Told) -> Told {
        let packed = id.and_then(Value::as_u64).unwrap_or_default();
        match self.rooms.get(&(packed >> 27)) {
            Some(room) => told(room.clone(), packed & ((1 << 27) - 1)),
            None => Told::Unknown(packed.to_string()),
        }
    }
}

/// What a frame tells of.
#[must_use]
pub fn told(index: &Index, (user, dialect): (&str, &str), frame: &Value) -> Vec<Told> {
    match dialect {
        "channels" => channels(user, frame),
        "events" => events(index, frame),
        "nkchat" => nkchat(index, frame).into_iter().collect(),
        _ => {
            let events = frame.as_array().into_iter().flatten();
            events.filter_map(|event| channelstream(index, event)).collect()
        }
    }
}

/// A message as a frame shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its room.
    pub room: String,
    /// Its place.
    pub message: u64,
    /// What it says.
    pub text: String,
    /// The entry that the frame tells, where the dialect has numbers.
    pub told: Option<u64>,
}

/// What messages say by this frame.
#[must_use]
pub fn shown(index: &Index, dialect: &str, frame: &Value) -> Vec<Shown> {
    let text = |of: &Value, path: &str| of.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let one = |told: Told, text: Option<String>| {
        let (Told::Shown(room, message), Some(text)) = (told, text) else { return None };
        Some(Shown { room, message, text, told: frame.get("seq").and_then(Value::as_u64) })
    };
    match dialect {
        "channels" => {
            let id = frame.pointer("/data/message_id");
            one(index.message(id, Told::Shown), text(frame, "/data/content")).into_iter().collect()
        }
        "events" => {
            let messages = frame.pointer("/data/messages").and_then(Value::as_array).into_iter().flatten();
            let shown = |of| one(index.packed(Value::get(of, "messageId"), Told::Shown), text(of, "/text"));
            messages.filter_map(shown).collect()
        }
        "channelstream" => {
            let events = frame.as_array().into_iter().flatten();
            let shown =
                |of| one(index.message(Value::get(of, "uuid"), Told::Shown), text(of, "/message/text"));
            events.filter_map(shown).collect()
        }
        _ => Vec::new(),
    }
}

fn channels(user: &str, frame: &Value) -> Vec<Told> {
    let kind = frame.get("type").and_then(Value::as_str).unwrap_or_default();
    let Some(room) = frame.pointer("/data/channel_id").and_then(Value::as_str) else { return Vec::new() };
    let (log, room, kind) = (log_of(user, kind, frame), room.to_owned(), kind.to_owned());
    vec![match (frame.get("seq").and_then(Value::as_u64), log) {
        (Some(seq), Some(log)) => Told::Notice(log, seq, kind, room),
        (Some(seq), None) => Told::Entry(room, seq, kind),
        (None, _) => Told::Passing(room),
    }]
}

/// The log of notices that a frame of the channels dialect is of; none if it is a room's. A notice does not say whom it is
/// for: it is the one who hears it.
#[must_use]
pub fn log_of(user: &str, kind: &str, frame: &Value) -> Option<String> {
    match kind {
        "channel_created" => Some("global".to_owned()),
        "user_banned" | "user_unbanned" | "user_kicked" if frame.pointer("/data/user_id").is_none() => {
            Some(format!("user:{user}"))
        }
        _ => None,
    }
}

fn events(index: &Index, frame: &Value) -> Vec<Told> {
    let messages = || frame.pointer("/data/messages").and_then(Value::as_array).into_iter().flatten();
    match frame.get("type").and_then(Value::as_str) {
        Some("TextMessagesCreated") => {
            messages().map(|one| index.packed(one.get("messageId"), Told::Written)).collect()
        }
        Some("TextMessagesUpdated") => {
            messages().map(|one| index.packed(one.get("messageId"), Told::Shown)).collect()
        }
        Some("TextMessageDeleted") => {
            vec![index.packed(frame.pointer("/data/messageId"), |room, seq| Told::About(room, seq, "gone"))]
        }
        Some("RoomCreated" | "RoomUpdated") => {
            let last = frame.pointer("/data/room/lastMessage/messageId");
            last.map(|last| index.packed(Some(last), Told::Shown)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn nkchat(index: &Index, frame: &Value) -> Option<Told> {
    let id = frame.pointer("/data/body/message_id");
    let about = |what| move |room, seq| Told::About(room, seq, what);
    match frame.pointer("/data/type")?.as_str()? {
        "created_message" => Some(index.message(id, Told::Written)),
        "updated_message" => Some(index.message(id, about("message_edited"))),
        "deleted_message" => Some(index.message(id, about("message_recalled"))),
        _ => None,
    }
}

fn channelstream(index: &Index, event: &Value) -> Option<Told> {
    let id = event.get("uuid");
    let about = |what| move |room, seq| Told::About(room, seq, what);
    match event.get("type")?.as_str()? {
        // Whether it was missed or not.
        "message" => Some(index.message(id, Told::Written)),
        "message:edit" => Some(index.message(id, about("message_edited"))),
        "message:delete" => Some(index.message(id, about("message_recalled"))),
        _ => None,
    }
}

/// Whether the channels dialect calls such an entry so.
#[must_use]
pub fn is_called(event: &Event, kind: &str) -> bool {
    match event {
        Event::Message { .. } => matches!(kind, "channel_message" | "message_reply"),
        Event::About { what, .. } => match what.as_str() {
            "message_edited" => kind == "message_updated",
            "message_recalled" => kind == "message_deleted",
            _ => false,
        },
        Event::Added(..) => kind == "member_joined",
        Event::Removed(_, how) => kind == if how == "kicked" { "user_kicked" } else { "member_left" },
        Event::Role(..) => kind == "member_role_updated",
        Event::Banned(_) => kind == "user_banned",
        Event::Unbanned(_) => kind == "user_unbanned",
        Event::Updated(..) => kind == "channel_updated",
        Event::Deleted => kind == "channel_deleted",
        Event::Notice { what, .. } => match what.as_str() {
            "banned" => kind == "user_banned",
            "unbanned" => kind == "user_unbanned",
            "kicked" => kind == "user_kicked",
            _ => kind == "channel_created",
        },
        Event::Created(_) | Event::CopiesDeleted { .. } => false,
    }
}
