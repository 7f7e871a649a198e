//! GET /channels/{channel_id}/members
//!
//! The members of a channel, who joined last first.

use std::sync::Arc;

use dialects::channels::{channel::Page, member::membership};
use domain::{Dialect, Error};
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
    "channels-list-members",
    Dialect::Channels,
    Method::GET,
    "/channels/{channel_id}/members",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let view = access::view(&cx, &request.caller, &request.channel()?).await?;
    let mut members = cx.store.members(&view.conversation.id, view.conversation.number).await?;
    members.retain(domain::Member::is_active);
    let place = |one: &domain::Member| (one.joined.0, one.user.as_str().to_owned());
    let Page { data, next_cursor } = page(&request, members, place)?;
    let names = show::names(&cx, data.iter().map(|one| &one.user)).await?;
    let data = data.iter().map(|one| membership(one, names.get(&one.user).cloned())).collect();
    reply(StatusCode::OK, &Page { data, next_cursor })
}
