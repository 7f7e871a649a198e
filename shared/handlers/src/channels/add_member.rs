//! POST /channels/{channel_id}/members
//!
//! Joins a channel; with `user_id` of somebody else adds that user, for admins. Who is a member stays one.

use std::sync::Arc;

use domain::{Dialect, Error, Role, UserId, entry::Arrival};
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
    "channels-add-member",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/members",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    user_id: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    let body: Body = request.body()?;
    let named = body.user_id.map(UserId::parse).transpose();
    let named = named.map_err(|_invalid| Error::invalid("user_id", "is no id"))?;
    let caller = &request.caller;
    let user = match named.as_ref().or(caller.user.as_ref()) {
        Some(user) => user.clone(),
        None => return Err(Error::invalid("user_id", "is required of a caller who is no user")),
    };
    let how = if caller.user.as_ref() == Some(&user) { Arrival::Joined } else { Arrival::Added };
    if how == Arrival::Added {
        membership::may_act(&cx, caller, &id, Role::Admin).await?;
    }
    create::known_users(&cx, caller, Dialect::Channels, std::slice::from_ref(&user)).await?;
    membership::add(&cx, caller, Dialect::Channels, &id, std::slice::from_ref(&user), how).await?;
    reply(StatusCode::CREATED, &show::member(&cx, &id, &user).await?)
}
