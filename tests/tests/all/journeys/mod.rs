//! What happens across dialects: written with one, heard and read with others.

mod blocks;
mod channelize_to_events;
mod kinds;
mod lists;
mod membership;
mod nothing_left;
mod recipients;
mod sdk;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{START, Server, all_heard, socket::Socket};

/// The number of the only room.
const ROOM: u64 = 1;

/// Ann, who owns a room, and those who are in it; all of them listen.
struct Team {
    server: Server,
    room: String,
    sockets: BTreeMap<&'static str, Socket>,
    numbers: BTreeMap<&'static str, u64>,
}

impl Team {
    /// A private room of these users; its making has been heard.
    async fn of(users: &[&'static str]) -> Self {
        Self::with(users, users, "private").await
    }

    /// A room of some of these users, who all listen.
    async fn with(users: &[&'static str], members: &[&str], kind: &str) -> Self {
        let server = Server::start().await;
        server.make_users(users).await;
        let mut sockets = BTreeMap::new();
        for user in users {
            sockets.insert(*user, server.listen(user).await);
        }
        let room = server.make_conversation(kind, members).await;
        let numbers = users.iter().copied().zip(1..).collect();
        let mut team = Self { server, room, sockets, numbers };
        team.heard().await;
        team
    }

    /// What each of them heard since it was last asked. Where the time does not stand still, it is passed over.
    async fn heard(&mut self) -> BTreeMap<&'static str, Vec<Value>> {
        let mut heard = all_heard(&self.server, &mut self.sockets).await;
        if !self.server.holds_time() {
            heard.values_mut().flatten().for_each(as_if_held);
        }
        heard
    }

    /// Each of them heard exactly this since it was last asked.
    #[track_caller]
    fn hears(&mut self, expected: &[(&'static str, Vec<Value>)]) -> impl Future<Output = ()> {
        let expected: BTreeMap<_, _> = expected.iter().cloned().collect();
        let place = std::panic::Location::caller();
        async move {
            let heard = self.heard().await;
            for (user, frames) in &heard {
                let mut due = expected.get(user).cloned().unwrap_or_default();
                if !self.server.holds_time() {
                    due.iter_mut().for_each(as_if_held);
                }
                assert_eq!(*frames, due, "{user}, {place}");
            }
        }
    }

    /// Somebody's frame about the room: `RoomCreated` or `RoomUpdated`.
    fn room_frame(&self, kind: &str, user: &str, unread: u64, last: Option<(u64, &str)>) -> Value {
        self.room_frame_titled(kind, "Team", START, user, unread, last)
    }

    fn room_frame_titled(
        &self,
        kind: &str,
        title: &str,
        modified: i64,
        user: &str,
        unread: u64,
        last: Option<(u64, &str)>,
    ) -> Value {
        let last = last.map(|(seq, author)| {
            json!({
                "messageId": crate::harness::packed(ROOM, seq), "createdUtc": START, "userId": self.numbers[author],
            })
        });
        json!({"type": kind, "data": {"room": {
            "roomId": ROOM, "name": title, "displayName": title, "roomType": "Private",
            "createdUtc": START, "lastModifiedUtc": modified, "unreadMessageCount": unread,
            "isArchived": false, "isModerator": user == "ann", "isPinned": false, "lastMessage": last,
        }}})
    }

    fn updated(&self, user: &str, unread: u64, last: Option<(u64, &str)>) -> Value {
        self.room_frame("RoomUpdated", user, unread, last)
    }

    /// A complete text message, as nobody but its author has read it.
    fn message(&self, seq: u64, author: &str, text: &str) -> Value {
        json!({
            "messageId": crate::harness::packed(ROOM, seq), "parentMessageId": 0, "userId": self.numbers[author],
            "roomId": ROOM, "text": text, "createdUtc": START, "lastEditedUtc": START, "lastModifiedUtc": START,
            "markupType": "TextPlain", "messageType": "Regular", "priority": "Normal", "commentCount": 0,
            "attachments": [], "readTimestamps": [{"userId": self.numbers[author], "readUtc": START}],
        })
    }
}

/// Puts the time at which tests begin in the place of all times.
fn as_if_held(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(as_if_held),
        Value::Object(all) => {
            for (key, value) in all {
                if key.ends_with("Utc") { *value = START.into() } else { as_if_held(value) }
            }
        }
        _ => {}
    }
}

fn created(messages: &[Value]) -> Value {
    json!({"type": "TextMessagesCreated", "data": {"messages": messages}})
}

fn messages_updated(messages: &[Value]) -> Value {
    json!({"type": "TextMessagesUpdated", "data": {"messages": messages}})
}

fn message_deleted(parent: u64, seq: u64) -> Value {
    let packed = |seq| if seq == 0 { 0 } else { crate::harness::packed(ROOM, seq) };
    json!({"type": "TextMessageDeleted", "data": {
        "parentMessageId": packed(parent), "roomId": ROOM, "messageId": packed(seq),
    }})
}

fn room_deleted() -> Value {
    json!({"type": "RoomDeleted", "data": {"roomId": ROOM}})
}
