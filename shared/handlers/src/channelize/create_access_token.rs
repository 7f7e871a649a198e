//! POST /v2/users/create_access_token
//!
//! A token for a user; for the application's server. Fourteen days, as on the original.

use std::sync::Arc;

use domain::{Dialect, Error, UserId};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer};
use crate::{
    channelize::token,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-create-access-token",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/create_access_token",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    if !request.caller.server {
        return Err(Error::Forbidden("Only the application's server makes access tokens."));
    }
    let body: Body = request.body()?;
    let id = UserId::parse(body.user_id.ok_or_else(|| Error::invalid("userId", "is required"))?)?;
    let user = cx.store.ensure_user(&id, cx.clock.now()).await?;
    token::reply(&cx, StatusCode::CREATED, &user)
}
