//! GET /v2/users/friends/count
//!
//! How many users the caller calls friends.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use store::user::Relation;

use super::request::{Request, answer, count};
use crate::{
    channelize::relations::related,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-count-friends",
    Dialect::Channelize,
    Method::GET,
    "/v2/users/friends/count",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let users = related(&cx, &request, Relation::Friend).await?;
    count(u64::try_from(users.len()).unwrap_or(u64::MAX))
}
