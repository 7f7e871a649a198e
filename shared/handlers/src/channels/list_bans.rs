//! GET /channels/{channel_id}/bans
//!
//! Who is banned from a channel, last banned first; for its moderators.

use std::sync::Arc;

use dialects::channels::{channel::Page, member::ban};
use domain::{Dialect, Error, Member, Role};
use http::{Method, StatusCode};

use super::{
    request::{Request, answer, page, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-list-bans",
    Dialect::Channels,
    Method::GET,
    "/channels/{channel_id}/bans",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let view = access::view(&cx, &request.caller, &request.channel()?).await?;
    view.actor().needs(Role::Moderator)?;
    let mut banned = cx.store.members(&view.conversation.id, view.conversation.number).await?;
    let now = cx.clock.now();
    banned.retain(|one| one.is_banned(now));
    let since = |one: &Member| one.absences.last().map_or(0, |absence| absence.from.0);
    let place = |one: &Member| (since(one), one.user.as_str().to_owned());
    let Page { data, next_cursor } = page(&request, banned, place)?;
    let names = show::names(&cx, data.iter().map(|one| &one.user)).await?;
    let data = data.iter().map(|one| ban(one, names.get(&one.user).cloned())).collect();
    reply(StatusCode::OK, &Page { data, next_cursor })
}
