//! POST /v2/users/check_relationship_status
//!
//! How the caller and another user stand to each other.

use std::sync::Arc;

use domain::{Dialect, Error};
use futures_util::future::try_join4;
use http::{Method, StatusCode};
use serde::Serialize;
use store::user::Relation;

use super::request::{Request, answer, reply};
use crate::{
    channelize::relations::other,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-check-relationship-status",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/check_relationship_status",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    is_friend: bool,
    is_friend_of: bool,
    blocked: bool,
    blocked_by: bool,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let own = request.caller.user()?.clone();
    let other = other(&cx, &request).await?;
    let (friend, friend_of, blocks, blocked_by) = try_join4(
        cx.store.has_relation(&own, Relation::Friend, &other),
        cx.store.has_relation(&other, Relation::Friend, &own),
        cx.store.has_relation(&own, Relation::Block, &other),
        cx.store.has_relation(&other, Relation::Block, &own),
    )
    .await?;
    reply(StatusCode::OK, &Status { is_friend: friend, is_friend_of: friend_of, blocked: blocks, blocked_by })
}
