//! A conversation, and those who listen to it in one dialect.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Conversation, ConversationId, Dialect, Place, Topic, UserId, Visibility};
use handlers::{
    auth::{self, Caller, Claims},
    invocation::{HttpCall, SocketEvent},
    operations::create::{self, NewConversation},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use serde_json::{Value, json};
use store::{connection::Connection, keys};

use super::rig::Rig;
use crate::simulation::cloud::socket_call;

/// Who writes.
const AUTHOR: &str = "the-author";
/// The conversation.
const ROOM: &str = "room-12345678";

/// How a listener listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    /// Members with a socket of `events`.
    Events,
    /// Sockets of `channels` that subscribe, one event a frame.
    Channels,
    /// The same with `?batch=1`.
    Arrays,
}

impl Ear {
    /// What it is called on a page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "`events`, members",
            Self::Channels => "`channels`, subscribers",
            Self::Arrays => "`channels?batch=1`, subscribers",
        }
    }
}

/// A conversation with an audience.
#[derive(Debug)]
pub struct Crowd<'a> {
    rig: &'a Rig,
    room: Conversation,
}

/// So many of something, as a user's or a connection's id has it.
fn user(n: usize) -> UserId {
    UserId::trusted(format!("listener-{n:07}"))
}

impl<'a> Crowd<'a> {
    /// A conversation with so many who listen, beside its author, who does not.
    ///
    /// # Errors
    /// What the program says.
    pub async fn gather(rig: &'a Rig, ear: Ear, listeners: usize) -> Result<Self, String> {
        let cx = &rig.furnishing;
        let now = cx.clock.now();
        let members = ear == Ear::Events;
        let author = Caller { user: Some(UserId::trusted(AUTHOR)), powerful: true, server: true };
        cx.store.ensure_user(&UserId::trusted(AUTHOR), now).await.map_err(told)?;
        let new = NewConversation {
            id: Some(ConversationId::trusted(ROOM)),
            title: Some("A room".to_owned()),
            members: if members { (0..listeners).map(user).collect() } else { Vec::new() },
            ..NewConversation::of(if members { Visibility::Private } else { Visibility::Open })
        };
        let room = create::create(cx, &author, Dialect::Channelize, new).await.map_err(told)?;
        let topic = Topic::Conversation(room.id.clone());
        for n in 0..listeners {
            let dialect = if members { Dialect::Events } else { Dialect::Channels };
            // As long as API Gateway's are, and as little in order.
            let id = STANDARD.encode(format!("{:011x}", n.wrapping_mul(0x9e37_79b9_7f4a) % 0xfff_ffff_ffff));
            let connection =
                Connection { id, user: user(n), dialect, since: now, arrays: ear == Ear::Arrays };
            if members {
                cx.store.put_connection(&connection, now).await.map_err(told)?;
            } else {
                cx.store.subscribe(&connection, &topic, None, now).await.map_err(told)?;
            }
        }
        Ok(Self { rig, room })
    }

    /// The same, told by functions with other settings over the same table.
    #[must_use]
    pub fn told_by<'b>(&self, rig: &'b Rig) -> Crowd<'b> {
        Crowd { rig, room: self.room.clone() }
    }

    /// Forgets how it was divided.
    ///
    /// # Errors
    /// What the table says.
    pub async fn forget_division(&self) -> Result<(), String> {
        self.rig.remove(keys::division(&self.room.id)).await
    }

    /// Writes a message of 200 bytes; where it is.
    ///
    /// # Errors
    /// What the program says.
    pub async fn say(&self) -> Result<Place, String> {
        let body = json!({"conversationId": ROOM, "body": "x".repeat(200)});
        self.rig.http("channelize-send-message", request(AUTHOR, &[], &body)).await?;
        let tail = self.rig.furnishing.store.tail(self.room.number).await.map_err(told)?;
        Ok(tail.ok_or("the log is empty")?.place)
    }

    /// Writes so many messages, and delivers them in one batch.
    ///
    /// # Errors
    /// What the program says.
    pub async fn tell(&self, messages: usize) -> Result<(), String> {
        let mut places = Vec::new();
        for _ in 0..messages {
            places.push(self.say().await?);
        }
        self.rig.deliver(&places).await
    }

    /// Bans a listener; nobody is told of it.
    ///
    /// # Errors
    /// What the program says.
    pub async fn ban(&self, listener: usize) -> Result<(), String> {
        let (path, body) = ([("conversation_id", ROOM)], json!({"userIds": [user(listener)]}));
        self.rig.http("channelize-ban-users", request(AUTHOR, &path, &body)).await.map(|_| ())
    }

    /// Reads the last 50 messages.
    ///
    /// # Errors
    /// What the program says.
    pub async fn read(&self) -> Result<Value, String> {
        let path = [("conversation_id", ROOM)];
        self.rig.http("channelize-list-messages", request(AUTHOR, &path, &Value::Null)).await
    }

    /// A user opens a socket of `channels`.
    ///
    /// # Errors
    /// What the program says.
    pub async fn connect(&self, connection: &str) -> Result<(), String> {
        let mut call = socket_call(connection, "$connect", SocketEvent::Connect);
        let claims = Claims { sub: AUTHOR.to_owned(), exp: i64::MAX, admin: false };
        let token = auth::mint("key", &claims).map_err(told)?;
        call.query.push(("token".to_owned(), token));
        self.rig.socket("channels-connect", call).await
    }

    /// It subscribes to the conversation.
    ///
    /// # Errors
    /// What the program says.
    pub async fn subscribe(&self, connection: &str) -> Result<(), String> {
        let body = json!({"action": "subscribe", "channels": [format!("channel:{ROOM}")]});
        let call = socket_call(connection, "subscribe", SocketEvent::Message(body.to_string()));
        self.rig.socket("channels-subscribe", call).await
    }

    /// It is closed.
    ///
    /// # Errors
    /// What the program says.
    pub async fn disconnect(&self, connection: &str) -> Result<(), String> {
        let event = SocketEvent::Disconnect { code: 1001, reason: String::new() };
        self.rig.socket("channels-disconnect", socket_call(connection, "$disconnect", event)).await
    }
}

/// A request of the application's server for a user.
fn request(user: &str, path: &[(&str, &str)], body: &Value) -> HttpCall {
    let mut headers = HeaderMap::new();
    let basic = format!("Basic {}", STANDARD.encode("server"));
    for (name, value) in [(AUTHORIZATION, basic.as_str()), (HeaderName::from_static("user-id"), user)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    let parameters = path.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    HttpCall { parameters, headers, body: body.into(), ..HttpCall::default() }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
