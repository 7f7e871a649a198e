//! GET /v2/users/{user_id}
//!
//! A user. The e-mail address is for the user and the application's server.

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
    "channelize-get-user",
    Dialect::Channelize,
    Method::GET,
    "/v2/users/{user_id}",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.named_user()?;
    let user = cx.store.user_now(&id).await?.ok_or(Error::NotFound("User"))?;
    let private = request.caller.powerful || request.caller.user.as_ref() == Some(&id);
    let online = !cx.store.connections(&id, cx.clock.now()).await?.is_empty();
    reply(StatusCode::OK, &user::full(&user, private, online))
}
