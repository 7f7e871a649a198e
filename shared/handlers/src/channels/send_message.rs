//! POST /channels/{channel_id}/messages
//!
//! Writes a message.

use std::sync::Arc;

use domain::{
    ConversationId, Dialect, Error, MessageId,
    message::{Content, Kind},
};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::send::{self, Draft},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-send-message",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/messages",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    content: String,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    write(&cx, &request, &id, None).await
}

/// Writes a message, or a reply to one.
///
/// # Errors
/// [`Error::Invalid`], and those of [`send::send`].
pub(super) async fn write(
    cx: &Context,
    request: &Request,
    id: &ConversationId,
    parent_id: Option<MessageId>,
) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    if body.content.is_empty() {
        return Err(Error::invalid("content", "must not be empty"));
    }
    let kind = if parent_id.is_some() { Kind::Reply } else { Kind::Normal };
    let draft = Draft {
        // The same for every try of a request with an idempotency key: the log takes it once.
        id: request.seed.clone().map(MessageId::trusted),
        content: Content { text: Some(body.content), kind, ..Content::default() },
        parent_id,
        ..Draft::default()
    };
    let sent = send::send(cx, &request.caller, Dialect::Channels, id, vec![draft]).await?;
    let message = sent.messages.first().ok_or_else(|| Error::Internal("nothing was sent".into()))?;
    reply(StatusCode::CREATED, &show::text(cx, id, message).await?)
}
