//! POST /v2/users/logout
//!
//! Ends a session. Tokens are signed, not kept, so this one stays good until it ends; the client drops it.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-logout",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/logout",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    request.caller.user()?;
    drop(cx);
    no_content()
}
