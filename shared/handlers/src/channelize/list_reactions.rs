//! GET /v2/messages/{message_id}/reactions
//!
//! The users who reacted to a message with one type of reaction, in their order. Seed 003, List Reactions.

use std::sync::Arc;

use dialects::channelize::{Scene, user};
use domain::{Dialect, Error, UserId};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-reactions",
    Dialect::Channelize,
    Method::GET,
    "/v2/messages/{message_id}/reactions",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let kind = request
        .query("type")
        .filter(|kind| !kind.is_empty())
        .ok_or_else(|| Error::invalid("type", "is required"))?;
    let (limit, skip) = request.window(25)?;
    let message = messages::visible(&cx, &request.caller, &request.message()?).await?;
    let ids = message.state.reactions.get(kind).map(Vec::as_slice).unwrap_or_default();
    let page: Vec<UserId> = ids.iter().skip(skip).take(limit).cloned().collect();
    let users = show::users_by_id(&cx, page.clone()).await?;
    let scene = Scene { users, ..Scene::default() };
    reply(StatusCode::OK, &page.iter().map(|id| user::brief(id, &scene)).collect::<Vec<_>>())
}
