//! GET /v2/users
//!
//! All users, by id; `search` finds a part of the name, `skipUserIds` leaves some out.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-users",
    Dialect::Channelize,
    Method::GET,
    "/v2/users",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(25)?;
    let search = request.query("search").map(str::to_lowercase);
    let left_out: Vec<&str> = request.list("skipUserIds").unwrap_or_default();
    let ids = cx.store.all_users().await?;
    let mut users = cx.store.users(ids).await?;
    users.retain(|user| {
        search.as_ref().is_none_or(|search| user.name.to_lowercase().contains(search))
            && !left_out.contains(&user.id.as_str())
    });
    let private = request.caller.powerful;
    let page: Vec<_> =
        users.iter().skip(skip).take(limit).map(|user| user::full(user, private, false)).collect();
    reply(StatusCode::OK, &page)
}
