//! POST /v2/messages/send
//!
//! Sends a message to a conversation, or to a user. Seed 003, Send Messages.

use std::sync::Arc;

use domain::{ConversationId, Dialect, Error, UserId};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    auth::Caller,
    channelize::{body::MessageBody, create_conversation::private, show},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{create, history::Shown, send},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-send-message",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/send",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    conversation_id: Option<String>,
    user_id: Option<String>,
    #[serde(flatten)]
    message: MessageBody,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let draft = body.message.draft()?;
    let (conversation_id, user_id) = (body.conversation_id, body.user_id);
    let conversation = target(&cx, &request.caller, conversation_id, user_id).await?;
    let sent = send::send(&cx, &request.caller, Dialect::Channelize, &conversation, vec![draft]).await?;
    let view = sent.view;
    let shown: Vec<Shown> =
        sent.messages.into_iter().map(|message| Shown::Message(Box::new(message))).collect();
    // The message is in the log: whatever cannot be read now must not call that a failure.
    let scene = show::scene(&cx, &view, &shown).await.unwrap_or_default();
    let wire = shown.first().and_then(|one| show::wire(one, &view.conversation, &scene));
    reply(StatusCode::CREATED, &wire)
}

/// The conversation that is meant. Where both are named, the conversation wins; a user alone means the
/// one-to-one conversation with the caller, made now if they had none.
///
/// # Errors
/// [`Error::Invalid`] if neither is named, or one is no id.
pub(super) async fn target(
    cx: &Context,
    caller: &Caller,
    conversation_id: Option<String>,
    user_id: Option<String>,
) -> Result<ConversationId, Error> {
    if let Some(id) = conversation_id {
        return ConversationId::parse(id);
    }
    let Some(id) = user_id else { return Err(Error::invalid("conversationId", "or `userId` is required")) };
    let user = UserId::parse(id)?;
    Ok(create::direct(cx, caller, Dialect::Channelize, &user, private()).await?.id)
}
