//! Events: `{"type","timestamp","data"}`, and beside them `seq` and `epoch` where the event is in a log.
//!
//! Seed 001, 2 to 8.

use domain::{Conversation, Timestamp, Visibility, entry::Changes};
use serde::Serialize;

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// `channel_message`: a message was written.
    ChannelMessage(Said),
    /// `message_reply`: a reply was written.
    MessageReply(Reply),
    /// `message_updated`: a message was edited.
    MessageUpdated {
        /// The channel.
        channel_id: String,
        /// The message.
        message_id: String,
        /// What it says now.
        content: String,
    },
    /// `message_deleted`: a message was taken back.
    MessageDeleted {
        /// The channel.
        channel_id: String,
        /// The message.
        message_id: String,
    },
    /// `member_joined`.
    MemberJoined(Person),
    /// `member_left`.
    MemberLeft(Person),
    /// `member_role_updated`.
    MemberRoleUpdated {
        /// Where, and who.
        #[serde(flatten)]
        person: Person,
        /// The role now.
        new_role: &'static str,
    },
    /// `user_banned`. To the user it does not say who.
    UserBanned(Moderation),
    /// `user_unbanned`. To the user it does not say who.
    UserUnbanned(Moderation),
    /// `user_kicked`. To the user it does not say who.
    UserKicked {
        /// The channel.
        channel_id: String,
        /// Who; only on the channel's topic.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<String>,
    },
    /// `channel_created`.
    ChannelCreated {
        /// The channel.
        channel_id: String,
        /// Its name.
        channel_name: String,
    },
    /// `channel_updated`: with what was changed, and nothing else.
    ChannelUpdated {
        /// The channel.
        channel_id: String,
        /// The name now.
        #[serde(skip_serializing_if = "Option::is_none")]
        channel_name: Option<String>,
        /// What it is about now.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Who may come in now.
        #[serde(skip_serializing_if = "Option::is_none")]
        visibility: Option<Visibility>,
    },
    /// `channel_deleted`.
    ChannelDeleted {
        /// The channel.
        channel_id: String,
    },
    /// `user_typing`.
    UserTyping {
        /// The channel.
        channel_id: String,
        /// Who.
        user_id: String,
        /// The name; never null here.
        username: String,
        /// Types, or no more.
        is_typing: bool,
    },
}

/// A message that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The channel.
    pub channel_id: String,
    /// The message.
    pub message_id: String,
    /// Who wrote it.
    pub user_id: String,
    /// The author's name.
    pub username: Option<String>,
    /// What it says.
    pub content: String,
}

/// A reply that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The channel.
    pub channel_id: String,
    /// The message.
    pub message_id: String,
    /// What it replies to.
    pub parent_message_id: String,
    /// Who wrote it.
    pub user_id: String,
    /// The author's name.
    pub username: Option<String>,
    /// What it says.
    pub content: String,
}

/// Somebody in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The channel.
    pub channel_id: String,
    /// Who.
    pub user_id: String,
    /// The name.
    pub username: Option<String>,
}

/// A ban, or its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Moderation {
    /// The channel.
    pub channel_id: String,
    /// Who; only on the channel's topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Why.
    pub motive: String,
}

#[derive(Serialize)]
struct Frame<'a, T> {
    r#type: &'a str,
    timestamp: String,
    data: &'a T,
    #[serde(flatten)]
    position: Option<Position<'a>>,
}

/// Where in its log an event stands.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Position<'a> {
    /// The entry.
    pub seq: u64,
    /// The life of the log.
    pub epoch: &'a str,
}

/// A frame.
pub fn frame<T: Serialize>(kind: &str, at: Timestamp, data: &T, position: Option<Position<'_>>) -> Vec<u8> {
    let frame = Frame { r#type: kind, timestamp: at.to_iso(), data, position };
    // Strings, numbers and booleans under string keys always are JSON.
    serde_json::to_vec(&frame).unwrap_or_default()
}

impl Event {
    /// The event's `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ChannelMessage(_) => "channel_message",
            Self::MessageReply(_) => "message_reply",
            Self::MessageUpdated { .. } => "message_updated",
            Self::MessageDeleted { .. } => "message_deleted",
            Self::MemberJoined(_) => "member_joined",
            Self::MemberLeft(_) => "member_left",
            Self::MemberRoleUpdated { .. } => "member_role_updated",
            Self::UserBanned(_) => "user_banned",
            Self::UserUnbanned(_) => "user_unbanned",
            Self::UserKicked { .. } => "user_kicked",
            Self::ChannelCreated { .. } => "channel_created",
            Self::ChannelUpdated { .. } => "channel_updated",
            Self::ChannelDeleted { .. } => "channel_deleted",
            Self::UserTyping { .. } => "user_typing",
        }
    }

    /// The event as a frame.
    #[must_use]
    pub fn encode(&self, at: Timestamp, position: Option<Position<'_>>) -> Vec<u8> {
        frame(self.kind(), at, self, position)
    }

    /// `channel_updated`; none if nothing was changed that this dialect knows.
    #[must_use]
    pub fn updated(channel_id: &str, changes: &Changes) -> Option<Self> {
        let Changes { title, description, visibility, image_url: _, custom_type: _, config: _, meta: _ } =
            changes;
        if title.is_none() && description.is_none() && visibility.is_none() {
            return None;
        }
        Some(Self::ChannelUpdated {
            channel_id: channel_id.to_owned(),
            channel_name: title.clone(),
            description: description.clone(),
            visibility: *visibility,
        })
    }
}

/// What a conversation is called: by its title, or by its id if it has none.
#[must_use]
pub fn name(conversation: &Conversation) -> String {
    conversation.title.clone().unwrap_or_else(|| conversation.id.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_736_937_000_000);

    fn encoded(event: &Event) -> String {
        let text = String::from_utf8(event.encode(AT, None)).unwrap();
        let prefix = format!(r#"{{"type":"{}","timestamp":"2025-01-15T10:30:00.000Z","data":"#, event.kind());
        text.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix('}')).unwrap().to_owned()
    }

    #[test]
    fn every_payload_is_the_seed_s() {
        let (c, m, u) = ("c".to_owned(), "m".to_owned(), "u".to_owned());
        let person = || Person { channel_id: c.clone(), user_id: u.clone(), username: Some("Ann".into()) };
        let moderation = |user_id: Option<&str>| Moderation {
            channel_id: c.clone(),
            user_id: user_id.map(str::to_owned),
            motive: "spam".into(),
        };
        let table = [
            (
                Event::ChannelMessage(Said {
                    channel_id: c.clone(),
                    message_id: m.clone(),
                    user_id: u.clone(),
                    username: None,
                    content: "hi".into(),
                }),
                r#"{"channel_id":"c","message_id":"m","user_id":"u","username":null,"content":"hi"}"#,
            ),
            (
                Event::MessageUpdated { channel_id: c.clone(), message_id: m.clone(), content: "ho".into() },
                r#"{"channel_id":"c","message_id":"m","content":"ho"}"#,
            ),
            (
                Event::MessageDeleted { channel_id: c.clone(), message_id: m.clone() },
                r#"{"channel_id":"c","message_id":"m"}"#,
            ),
            (
                Event::MessageReply(Reply {
                    channel_id: c.clone(),
                    message_id: m.clone(),
                    parent_message_id: "p".into(),
                    user_id: u.clone(),
                    username: None,
                    content: "hi".into(),
                }),
                r#"{"channel_id":"c","message_id":"m","parent_message_id":"p","user_id":"u","username":null,"content":"hi"}"#,
            ),
            (Event::MemberJoined(person()), r#"{"channel_id":"c","user_id":"u","username":"Ann"}"#),
            (Event::MemberLeft(person()), r#"{"channel_id":"c","user_id":"u","username":"Ann"}"#),
            (
                Event::MemberRoleUpdated { person: person(), new_role: "admin" },
                r#"{"channel_id":"c","user_id":"u","username":"Ann","new_role":"admin"}"#,
            ),
            (Event::UserBanned(moderation(Some("u"))), r#"{"channel_id":"c","user_id":"u","motive":"spam"}"#),
            (Event::UserBanned(moderation(None)), r#"{"channel_id":"c","motive":"spam"}"#),
            (
                Event::UserUnbanned(moderation(Some("u"))),
                r#"{"channel_id":"c","user_id":"u","motive":"spam"}"#,
            ),
            (Event::UserUnbanned(moderation(None)), r#"{"channel_id":"c","motive":"spam"}"#),
            (
                Event::UserKicked { channel_id: c.clone(), user_id: Some(u.clone()) },
                r#"{"channel_id":"c","user_id":"u"}"#,
            ),
            (Event::UserKicked { channel_id: c.clone(), user_id: None }, r#"{"channel_id":"c"}"#),
            (
                Event::ChannelCreated { channel_id: c.clone(), channel_name: "Tea".into() },
                r#"{"channel_id":"c","channel_name":"Tea"}"#,
            ),
            (
                Event::updated("c", &Changes { title: Some("Tea".into()), ..Changes::default() }).unwrap(),
                r#"{"channel_id":"c","channel_name":"Tea"}"#,
            ),
            (Event::ChannelDeleted { channel_id: c.clone() }, r#"{"channel_id":"c"}"#),
            (
                Event::UserTyping {
                    channel_id: c.clone(),
                    user_id: u.clone(),
                    username: "u".into(),
                    is_typing: true,
                },
                r#"{"channel_id":"c","user_id":"u","username":"u","is_typing":true}"#,
            ),
        ];
        for (event, expected) in table {
            assert_eq!(encoded(&event), expected);
        }
        assert_eq!(Event::updated("c", &Changes::default()), None);
    }

    #[test]
    fn an_event_of_a_log_says_where_it_stands() {
        let event = Event::ChannelDeleted { channel_id: "c".into() };
        let frame = String::from_utf8(event.encode(AT, Some(Position { seq: 7, epoch: "e" }))).unwrap();
        assert_eq!(
            frame,
            r#"{"type":"channel_deleted","timestamp":"2025-01-15T10:30:00.000Z","data":{"channel_id":"c"},"seq":7,"epoch":"e"}"#
        );
    }
}
