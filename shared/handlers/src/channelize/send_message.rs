//! POST /v2/messages/send
//!
//! Sends a message to a conversation, or to a user. Seed 003, Send Messages.

use std::sync::Arc;

use domain::{ConversationId, Dialect, Error, UserId};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    channelize::{body::MessageBody, create_conversation::private, show},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{history::Shown, send, target},
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
    // Where both are named, the conversation wins.
    let conversation = match (body.conversation_id, body.user_id) {
        (Some(id), _) => ConversationId::parse(id)?,
        (None, Some(id)) => {
            let (user, drafts) = (UserId::parse(id)?, std::slice::from_ref(&draft));
            target::direct(&cx, &request.caller, Dialect::Channelize, &user, drafts, private()).await?
        }
        (None, None) => return Err(Error::invalid("conversationId", "or `userId` is required")),
    };
    let sent = send::send(&cx, &request.caller, Dialect::Channelize, &conversation, vec![draft]).await?;
    let view = sent.view;
    let shown: Vec<Shown> =
        sent.messages.into_iter().map(|message| Shown::Message(Box::new(message))).collect();
    // The message is in the log: whatever cannot be read now must not call that a failure.
    let scene = show::scene(&cx, &view, &shown).await.unwrap_or_default();
    let wire = shown.first().and_then(|one| show::wire(one, &view.conversation, &scene));
    reply(StatusCode::CREATED, &wire)
}
