//! POST /channels/{channel_id}/bans
//!
//! Bans a user, member or not; for moderators of a higher role.

use std::sync::Arc;

use dialects::channels::member::ban;
use domain::{Dialect, Error, Role, UserId};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{create, membership},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-ban-user",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/bans",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    user_id: String,
    motive: String,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    let body: Body = request.body()?;
    let user = UserId::parse(body.user_id).map_err(|_invalid| Error::invalid("user_id", "is no id"))?;
    let caller = &request.caller;
    membership::may_act(&cx, caller, &id, Role::Moderator).await?;
    create::known_users(&cx, caller, Dialect::Channels, std::slice::from_ref(&user)).await?;
    membership::ban(&cx, caller, Dialect::Channels, &id, &user, &body.motive, None).await?;
    let mut banned = show::standing(&cx, &id, &user).await?.ok_or(Error::NotFound("Ban"))?;
    banned.motive = Some(body.motive);
    let name = cx.store.user(&user).await?.map(|user| user.name);
    reply(StatusCode::CREATED, &ban(&banned, name))
}
