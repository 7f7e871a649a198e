//! GET /api/v1/users
//!
//! All users.

use std::sync::Arc;

use dialects::events::user;
use domain::{Dialect, Error};
use http::Method;
use serde::Serialize;

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-list-users",
    Dialect::Events,
    Method::GET,
    "/api/v1/users",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
struct Body<'a> {
    users: Vec<user::Wire<'a>>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let caller = &request.caller;
    let mut users = cx.store.users(cx.store.all_users().await?).await?;
    users.sort_by_key(|user| user.number);
    let is_admin = |user: &domain::User| caller.powerful && caller.user.as_ref() == Some(&user.id);
    reply(&Body { users: users.iter().map(|one| user::user(one, is_admin(one))).collect() })
}
