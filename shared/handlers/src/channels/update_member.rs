//! PATCH /channels/{channel_id}/members/{user_id}
//!
//! Gives a member another role; for admins of a higher role than the member has.

use std::sync::Arc;

use domain::{Dialect, Error, Role};
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
    operations::membership::{self, RoleChange},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-update-member",
    Dialect::Channels,
    Method::PATCH,
    "/channels/{channel_id}/members/{user_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    role: Role,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, user) = (request.channel()?, request.named_user()?);
    let body: Body = request.body()?;
    membership::set_role(&cx, &request.caller, Dialect::Channels, &id, &user, RoleChange::Set(body.role))
        .await?;
    reply(StatusCode::OK, &show::member(&cx, &id, &user).await?)
}
