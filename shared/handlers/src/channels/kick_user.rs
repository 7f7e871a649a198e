//! POST /channels/{channel_id}/kicks
//!
//! Removes a member, who may come back; for moderators of a higher role.

use std::sync::Arc;

use domain::{Dialect, Error, UserId, entry::Departure};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    request::{Request, answer, reply},
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
    "channels-kick-user",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/kicks",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    user_id: String,
}

#[derive(Serialize)]
struct Kick<'a> {
    channel_id: &'a str,
    user_id: &'a str,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    let body: Body = request.body()?;
    let user = UserId::parse(body.user_id).map_err(|_invalid| Error::invalid("user_id", "is no id"))?;
    let standing = show::standing(&cx, &id, &user).await?;
    let users = std::slice::from_ref(&user);
    membership::remove(&cx, &request.caller, Dialect::Channels, &id, users, Departure::Kicked).await?;
    if !standing.is_some_and(|one| one.is_active()) {
        return Err(Error::NotFound("Member"));
    }
    reply(StatusCode::CREATED, &Kick { channel_id: id.as_str(), user_id: user.as_str() })
}
