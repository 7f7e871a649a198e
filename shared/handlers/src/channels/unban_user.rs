//! DELETE /channels/{channel_id}/bans/{user_id}
//!
//! Lifts a ban; for moderators. The motive is in the body or in the query. Doing it again is no error.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::{
    request::{Request, answer, no_content},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-unban-user",
    Dialect::Channels,
    Method::DELETE,
    "/channels/{channel_id}/bans/{user_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    motive: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, user) = (request.channel()?, request.named_user()?);
    let body: Body = request.body()?;
    let motive = body.motive.as_deref().or(request.query("motive")).unwrap_or_default();
    let standing = show::standing(&cx, &id, &user).await?;
    membership::unban(&cx, &request.caller, Dialect::Channels, &id, &user, motive).await?;
    let known = standing.is_some_and(|one| !one.absences.is_empty());
    if known { no_content() } else { Err(Error::NotFound("Ban")) }
}
