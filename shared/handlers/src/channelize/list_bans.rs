//! GET /v2/conversations/{conversation_id}/ban
//!
//! The users who are banned from a conversation, by user id; for moderators.

use std::sync::Arc;

use dialects::channelize::{Scene, conversation};
use domain::{Dialect, Error, Member, Role, permission::Actor};
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
    "channelize-list-bans",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}/ban",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(25)?;
    let view = access::view(&cx, &request.caller, &request.conversation()?).await?;
    let reader = view.reader();
    let actor = Actor { user: reader.user, member: reader.member, powerful: reader.powerful };
    actor.needs(Role::Moderator)?;
    let now = cx.clock.now();
    let members = cx.store.members(&view.conversation.id, view.conversation.number).await?;
    let banned = members.iter().filter(|member| member.is_banned(now)).skip(skip).take(limit);
    let banned: Vec<&Member> = banned.collect();
    let users = show::users_by_id(&cx, banned.iter().map(|member| member.user.clone())).await?;
    let scene = Scene { users, ..Scene::default() };
    reply(StatusCode::OK, &banned.into_iter().map(|one| conversation::ban(one, &scene)).collect::<Vec<_>>())
}
