//! GET /v2/users/blocks
//!
//! The users whom the caller blocks, by id.

use std::sync::Arc;

use dialects::channelize::user;
use domain::{Dialect, Error};
use http::{Method, StatusCode};
use store::user::Relation;

use super::request::{Request, answer, reply};
use crate::{
    channelize::relations::related,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-blocks",
    Dialect::Channelize,
    Method::GET,
    "/v2/users/blocks",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(25)?;
    let users = related(&cx, &request, Relation::Block).await?;
    let page: Vec<_> =
        users.iter().skip(skip).take(limit).map(|user| user::full(user, false, false)).collect();
    reply(StatusCode::OK, &page)
}
