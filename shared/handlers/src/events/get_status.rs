//! GET /api/v1/status
//!
//! Who is signed in.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::{
    login::SignedIn,
    request::{Request, answer, reply},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-status",
    Dialect::Events,
    Method::GET,
    "/api/v1/status",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let user = cx.store.ensure_user(request.caller.user()?, cx.clock.now()).await?;
    let user_session_id = request.session.as_deref().unwrap_or_default();
    reply(&SignedIn { user_id: user.number.0, user_session_id })
}
