//! GET /v2/conversations/{conversation_id}/watchers
//!
//! The users who watch a conversation, by id.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error, UserId};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-watchers",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}/watchers",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(25)?;
    let view = access::view(&cx, &request.caller, &request.conversation()?).await?;
    let watchers = cx.store.watchers(&view.conversation.id, view.conversation.number).await?;
    let page: Vec<UserId> = watchers.into_iter().skip(skip).take(limit).collect();
    let users = cx.store.users(page).await?;
    reply(StatusCode::OK, &users.iter().map(|user| user::full(user, false, false)).collect::<Vec<_>>())
}
