//! What a host hands to a handler, and what it gets back: one shape for AWS Lambda and for the runner.
//!
//! `functions` makes these out of Lambda's JSON; `local` makes them out of its own sockets. A handler cannot
//! tell which of the two called it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use domain::{ConversationId, Error, MessageId, UserId};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

/// One call of one function.
#[derive(Debug)]
pub enum Invocation {
    /// An HTTP request, as API Gateway's HTTP API (payload format 2.0) tells it.
    Http(HttpCall),
    /// A `$connect`, a `$disconnect` or a message of a WebSocket API.
    Socket(SocketCall),
    /// A batch of the table's stream.
    Stream(Vec<StreamRecord>),
    /// A batch of a queue's messages.
    Queue(Vec<QueueMessage>),
}

/// A message of a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Names the message in a partial batch failure.
    pub id: String,
    /// The group within which order holds.
    pub group: String,
    /// What it says.
    pub body: String,
}

/// An HTTP request.
#[derive(Debug, Clone, Default)]
pub struct HttpCall {
    /// Names this request in logs.
    pub request_id: String,
    /// The method.
    pub method: Method,
    /// The path as it was asked for, still percent-encoded.
    pub path: String,
    /// The route's `{parameters}`, percent-decoded.
    pub parameters: BTreeMap<String, String>,
    /// The query's pairs in their order, percent-decoded, `+` read as a space.
    pub query: Vec<(String, String)>,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, base64 already undone.
    pub body: Bytes,
    /// The caller's address.
    pub source_ip: String,
}

impl HttpCall {
    /// The first query value of that name.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The conversation that this parameter of the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn conversation(&self, parameter: &str) -> Result<ConversationId, Error> {
        let id = ConversationId::parse(self.parameter(parameter)?);
        let id = id.map_err(|_invalid| Error::NotFound("Conversation"))?;
        crate::call::is_about(&id);
        Ok(id)
    }

    /// The message that the path's `{message_id}` names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn message(&self) -> Result<MessageId, Error> {
        MessageId::parse(self.parameter("message_id")?).map_err(|_invalid| Error::NotFound("Message"))
    }

    /// The user that the path's `{user_id}` names.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no id at all.
    pub fn named_user(&self) -> Result<UserId, Error> {
        UserId::parse(self.parameter("user_id")?).map_err(|_invalid| Error::NotFound("User"))
    }

    fn parameter(&self, name: &str) -> Result<&str, Error> {
        self.parameters.get(name).map(String::as_str).ok_or_else(|| Error::invalid(name, "is missing"))
    }
}

/// A call of a WebSocket API's route.
#[derive(Debug, Clone)]
pub struct SocketCall {
    /// Names this request in logs.
    pub request_id: String,
    /// API Gateway's id of the connection.
    pub connection_id: String,
    /// The route that was selected: `$connect`, `$disconnect`, `$default` or a route's own key.
    pub route_key: String,
    /// What happened.
    pub event: SocketEvent,
    /// The header fields of the handshake; only at `$connect`.
    pub headers: HeaderMap,
    /// The query of the handshake, decoded; only at `$connect`.
    pub query: Vec<(String, String)>,
    /// The caller's address.
    pub source_ip: String,
}

/// What happened on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A handshake, to be accepted (2xx) or refused (anything else).
    Connect,
    /// A text message.
    Message(String),
    /// The socket is gone. Best effort: it may never be told.
    Disconnect {
        /// The WebSocket close code.
        code: u16,
        /// The reason given with it.
        reason: String,
    },
}

/// One record of the table's stream (`NEW_AND_OLD_IMAGES`).
#[derive(Debug, Clone)]
pub struct StreamRecord {
    /// What happened to the item.
    pub change: StreamChange,
    /// The record's place in its shard; names the record in a partial batch failure.
    pub sequence_number: String,
    /// The item's key.
    pub keys: Item,
    /// The item after the change; none for a removal.
    pub new_image: Option<Item>,
    /// The item before the change; none for an insertion.
    pub old_image: Option<Item>,
}

/// An item of the table.
pub type Item = store::Item;

/// What a stream record says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamChange {
    /// A new item.
    Insert,
    /// A changed item.
    Modify,
    /// A removed item, by a delete or by its TTL.
    Remove,
}

/// The answer to an [`Invocation`].
#[derive(Debug)]
pub enum Reply {
    /// To [`Invocation::Http`], and to [`Invocation::Socket`] (where only `$connect`'s status and headers matter).
    Http(HttpReply),
    /// To [`Invocation::Stream`]: the sequence numbers that failed; Lambda retries from the lowest of them on. To
    /// [`Invocation::Queue`]: the ids that failed, and come again.
    Batch(Vec<String>),
}

/// Bytes of a reply's body: Lambda's quota is 6 MB, with the envelope in which the body is a JSON string.
pub const REPLY_BYTES: usize = 4_500_000;

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct HttpReply {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl HttpReply {
    /// A reply without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// A reply with a JSON body.
    #[must_use]
    pub fn json(status: StatusCode, body: Vec<u8>) -> Self {
        Self::empty(status)
            .with(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .body(body)
    }

    /// The same reply with one more header field.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = Bytes::from(body);
        self
    }
}

/// The attribute of an item, as a string; records and items are read through `store`, this is for hosts.
#[must_use]
pub fn string_attribute<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(|value| match value {
        AttributeValue::S(text) => Some(text.as_str()),
        _ => None,
    })
}
