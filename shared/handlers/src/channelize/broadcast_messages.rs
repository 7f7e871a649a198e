//! POST /v2/messages/broadcast
//!
//! Sends one message to several conversations or users. Seed 003, Broadcast Messages; the wire page resolves its
//! missing body. Each target gets a message of its own: there is no transaction over all of them.

use std::sync::Arc;

use domain::{ConversationId, Dialect, Error, UserId, limits};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    auth::Caller,
    channelize::{body::MessageBody, create_conversation::private},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{
        send::{self, Draft},
        target,
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-broadcast-messages",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/broadcast",
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
    user_ids: Option<Vec<String>>,
    conversation_ids: Option<Vec<String>>,
    #[serde(flatten)]
    message: MessageBody,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let draft = body.message.draft()?;
    // Each target gets a message of its own, and none is in two conversations.
    if draft.id.is_some() || draft.parent_id.is_some() {
        return Err(Error::invalid("id", "and `parentId` cannot be broadcast"));
    }
    let targets = targets(body.user_ids, body.conversation_ids)?;
    let drafts = vec![draft];
    for conversation in conversations(&cx, &request.caller, targets, &drafts).await? {
        send::send(&cx, &request.caller, Dialect::Channelize, &conversation, drafts.clone()).await?;
    }
    reply::<[(); 0]>(StatusCode::OK, &[])
}

/// Where to send: the two are users and conversations.
pub(super) type Targets = (Vec<String>, Vec<String>);

/// The users and conversations that are named. The SDK names one kind only; where both are, both are meant.
///
/// # Errors
/// [`Error::Invalid`] if none is named, or too many.
pub(super) fn targets(
    users: Option<Vec<String>>,
    conversations: Option<Vec<String>>,
) -> Result<Targets, Error> {
    let users = users.unwrap_or_default();
    let conversations = conversations.unwrap_or_default();
    if users.is_empty() && conversations.is_empty() {
        return Err(Error::invalid("conversationIds", "or `userIds` is required"));
    }
    if users.len() + conversations.len() > limits::TARGETS_PER_CALL {
        let most = limits::TARGETS_PER_CALL;
        return Err(Error::invalid("conversationIds", format!("and `userIds` have more than {most} ids")));
    }
    Ok((users, conversations))
}

/// The conversations of these targets, each once. All that the messages could be refused for is asked before
/// anything is made or sent.
///
/// # Errors
/// As [`target::all`].
pub(super) async fn conversations(
    cx: &Context,
    caller: &Caller,
    (users, conversations): Targets,
    drafts: &[Draft],
) -> Result<Vec<ConversationId>, Error> {
    let conversations = conversations.into_iter().map(ConversationId::parse).collect::<Result<_, _>>()?;
    let users = users.into_iter().map(UserId::parse).collect::<Result<_, _>>()?;
    target::all(cx, caller, Dialect::Channelize, (conversations, users), drafts, &private()).await
}
