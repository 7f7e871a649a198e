//! POST /v2/conversations/{conversation_id}/stop_watching
//!
//! The caller follows a conversation no longer.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-stop-watching",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/stop_watching",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    membership::stop_watching(&cx, &request.caller, &id).await?;
    no_content()
}
