//! GET /channels
//!
//! The channels that the caller is a member of, or could join or read: all for who may do everything. Newest
//! first.

use std::sync::Arc;

use dialects::channels::channel::{Page, channel};
use domain::{Conversation, ConversationId, Dialect, Error, Visibility};
use http::{Method, StatusCode};
use std::collections::BTreeSet;

use super::request::{Request, answer, page, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-list-channels",
    Dialect::Channels,
    Method::GET,
    "/channels",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let own = own(&cx, &request).await?;
    let all = cx.store.all_conversations().await?;
    let ids: Vec<ConversationId> = own.iter().map(|(id, _)| id.clone()).chain(all).collect();
    let mut known = cx.store.conversations(&ids).await?;
    known.retain(|one| {
        let member = own.contains(&(one.id.clone(), one.number.0));
        !one.deleted && (member || request.caller.powerful || one.visibility() != Visibility::Private)
    });
    let Page { mut data, next_cursor } = page(&request, known, |one| (one.number.0, String::new()))?;
    without_bans(&cx, &request, &mut data).await?;
    reply(StatusCode::OK, &Page { data: data.iter().map(channel).collect(), next_cursor })
}

/// The conversations that the caller is a member of, each with its number.
async fn own(cx: &Context, request: &Request) -> Result<BTreeSet<(ConversationId, u64)>, Error> {
    let Some(user) = &request.caller.user else { return Ok(BTreeSet::new()) };
    let memberships = cx.store.memberships(user).await?;
    Ok(memberships.into_iter().map(|one| (one.conversation, one.number.0)).collect())
}

/// Leaves out what the caller is banned from.
async fn without_bans(cx: &Context, request: &Request, page: &mut Vec<Conversation>) -> Result<(), Error> {
    let Some(user) = request.caller.user.as_ref().filter(|_| !request.caller.powerful) else { return Ok(()) };
    let mut banned = BTreeSet::new();
    for one in page.iter().filter(|one| one.visibility() != Visibility::Private) {
        let member = cx.store.member(&one.id, user).await?;
        if member.is_some_and(|member| member.number == one.number && member.is_banned(cx.clock.now())) {
            banned.insert(one.id.clone());
        }
    }
    page.retain(|one| !banned.contains(&one.id));
    Ok(())
}
