//! GET /api/v1/users/{userId}/avatar.jpg
//!
//! Where the user's picture is, if there is one.

use std::sync::Arc;

use domain::{Dialect, Error, Number};
use http::Method;

use super::{
    avatar,
    request::{Request, answer},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-user-avatar",
    Dialect::Events,
    Method::GET,
    "/api/v1/users/{userId}/avatar.jpg",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let number = request.number("userId").ok_or(avatar::NONE)?;
    let user = cx.store.user_of(Number(number)).await?;
    avatar::reply(user.and_then(|user| user.image_url).as_deref())
}
