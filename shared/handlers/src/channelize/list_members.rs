//! GET /v2/conversations/{conversation_id}/members
//!
//! The members of a conversation, by user id; all of them where no `limit` is given.

use std::sync::Arc;

use dialects::channelize::{Scene, conversation};
use domain::{Dialect, Error, Member};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-members",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}/members",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(usize::MAX)?;
    let view = access::view(&cx, &request.caller, &request.conversation()?).await?;
    let members = show::active_members(&cx, &view.conversation).await?;
    let members: Vec<Member> = members.into_iter().skip(skip).take(limit).collect();
    let users = show::users_by_id(&cx, members.iter().map(|member| member.user.clone())).await?;
    let scene = Scene { users, ..Scene::default() };
    reply(StatusCode::OK, &members.iter().map(|one| conversation::member(one, &scene)).collect::<Vec<_>>())
}
