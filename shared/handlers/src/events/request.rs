//! A request of this dialect: who calls, and its parts, checked.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use dialects::events::{attachment::Handle, error};
use domain::{ConversationId, Error, Message, Number, Place, Topic};
use http::{HeaderMap, StatusCode};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::session;
use crate::{
    auth::Caller,
    context::Context,
    endpoint::{Handling, answer_http},
    invocation::{HttpCall, HttpReply, Invocation},
    json,
    operations::{access, commit::NO_CONVERSATION, messages::NO_MESSAGE, transcript::Window},
};

/// The most messages of a page.
const MOST_MESSAGES: usize = 200;

/// A request, with who sends it.
#[derive(Debug)]
pub struct Request {
    /// Who sends it.
    pub caller: Caller,
    /// The session that says so, if it is one.
    pub session: Option<String>,
    call: HttpCall,
}

/// Answers a request of somebody who must prove who it is.
pub fn answer<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Request) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    answer_http(invocation, refuse, move |call| async move {
        let (caller, session) = session::caller(&cx, &call.headers).await?;
        handle(cx, Request { caller, session, call }).await
    })
}

/// Answers a request of anybody.
pub fn answer_anybody<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Request) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    let caller = Caller { user: None, powerful: false, server: false };
    answer_http(invocation, refuse, move |call| async move {
        handle(cx, Request { caller, session: None, call }).await
    })
}

/// The reply to a request that failed.
#[must_use]
pub fn refuse(error: &Error) -> HttpReply {
    let (status, body) = error::encode(error);
    HttpReply::json(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
}

/// 200, with these keys beside `httpStatusCode`.
///
/// # Errors
/// [`Error::Internal`] if it is no JSON object.
pub fn reply<T: Serialize>(body: &T) -> Result<HttpReply, Error> {
    #[derive(Serialize)]
    struct Body<'a, T> {
        #[serde(rename = "httpStatusCode")]
        http_status_code: u16,
        #[serde(flatten)]
        rest: &'a T,
    }
    bare(&Body { http_status_code: 200, rest: body })
}

/// 200, with this JSON and nothing beside.
///
/// # Errors
/// [`Error::Internal`] if it is no JSON.
pub fn bare<T: Serialize>(body: &T) -> Result<HttpReply, Error> {
    let body = serde_json::to_vec(body).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    Ok(HttpReply::json(StatusCode::OK, body))
}

/// `{"httpStatusCode":200}`.
///
/// # Errors
/// [`Error::Internal`].
pub fn done() -> Result<HttpReply, Error> {
    #[derive(Serialize)]
    struct Nothing {}
    reply(&Nothing {})
}

/// The body of what is written: `{"content":"…"}`.
#[derive(Debug, Deserialize)]
struct Text {
    content: String,
}

impl Request {
    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.call.headers
    }

    /// The body's bytes.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.call.body
    }

    /// The JSON body.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::object(&self.call.body)
    }

    /// Refuses a body that is malformed, where it may be absent and says nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn no_malformed_body(&self) -> Result<(), Error> {
        json::parse::<IgnoredAny>(&self.call.body).map(|_ignored| ())
    }

    /// The `content` of the body, whatever the body says its type is: not empty.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn content(&self) -> Result<String, Error> {
        let text: Text = self.body()?;
        if text.content.is_empty() {
            return Err(Error::invalid("content", "must not be empty"));
        }
        Ok(text.content)
    }

    /// A number that the path names; none if it is no number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.call.parameters.get(name)?.parse().ok()
    }

    /// The room that the path names, for what the caller may do there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn room(&self, cx: &Context) -> Result<ConversationId, Error> {
        let number = self.number("roomId").ok_or(NO_CONVERSATION)?;
        room_of(cx, Number(number)).await
    }

    /// The message that the path names, if the caller may see it; and how the caller sees its room.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look into its room.
    pub async fn message(&self, cx: &Context) -> Result<(access::View<'_>, Message), Error> {
        let place = self.number("messageId").and_then(Place::unpacked).ok_or(NO_MESSAGE)?;
        self.message_at(cx, place).await
    }

    /// The attachment that the path names: its message, as above, and which of its attachments it is.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] if the caller may not look into its room.
    pub async fn attachment(&self, cx: &Context) -> Result<(access::View<'_>, Message, u64), Error> {
        const NO_ATTACHMENT: Error = Error::NotFound("Attachment");
        let handle = self.number("attachmentId").and_then(Handle::unpacked).ok_or(NO_ATTACHMENT)?;
        match self.message_at(cx, handle.place).await {
            Ok((view, message)) => Ok((view, message, handle.index)),
            Err(Error::NotFound(_)) => Err(NO_ATTACHMENT),
            Err(error) => Err(error),
        }
    }

    async fn message_at(&self, cx: &Context, place: Place) -> Result<(access::View<'_>, Message), Error> {
        let id = room_of(cx, place.number).await.map_err(|error| match error {
            Error::NotFound(_) => NO_MESSAGE,
            other => other,
        })?;
        let view = access::view(cx, &self.caller, &id).await?;
        let (entry, message) = cx.store.message_at(place, true).await?.ok_or(NO_MESSAGE)?;
        if view.conversation.number != place.number || !view.sees(&entry) {
            return Err(NO_MESSAGE);
        }
        Ok((view, message))
    }

    /// `cursor`, `limit` and `direction`, for a list of this room's.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no such value.
    pub fn window(&self, room: Number) -> Result<Window, Error> {
        let value =
            |name: &str| self.call.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let forward = match value("direction") {
            None | Some("forward") => true,
            Some("backward") => false,
            Some(_) => return Err(Error::invalid("direction", "must be `backward` or `forward`")),
        };
        let cursor = match value("cursor") {
            None | Some("-1") => None,
            Some(text) => {
                let place = text.parse().ok().and_then(Place::unpacked);
                let place = place.filter(|place| place.number == room || place.packed() == Some(0));
                Some(
                    place.ok_or_else(|| Error::invalid("cursor", "must be -1 or a message of the room"))?.seq,
                )
            }
        };
        let limit = match value("limit") {
            None => usize::MAX,
            Some(text) => {
                let limit = text.parse().ok().filter(|limit| (1..=MOST_MESSAGES).contains(limit));
                limit.ok_or_else(|| {
                    Error::invalid("limit", format!("must be a number from 1 to {MOST_MESSAGES}"))
                })?
            }
        };
        Ok(Window { thread: None, cursor, forward, limit })
    }
}

/// The conversation that a room's number names: one that lives, and no log of another kind.
async fn room_of(cx: &Context, number: Number) -> Result<ConversationId, Error> {
    let id = cx.store.conversation_of(number).await?.ok_or(NO_CONVERSATION)?;
    if !matches!(Topic::of_log(&id), Topic::Conversation(_)) {
        return Err(NO_CONVERSATION);
    }
    let seen = cx.store.conversation_seen(&id).await?.ok_or(NO_CONVERSATION)?;
    if seen.number == number {
        return Ok(id);
    }
    // The id may have begun another life since this process saw it.
    let now = cx.store.conversation(&id, true).await?.ok_or(NO_CONVERSATION)?;
    if now.number == number { Ok(id) } else { Err(NO_CONVERSATION) }
}
