//! POST /v2/conversations/{conversation_id}/start_watching
//!
//! The caller follows a conversation that is not private, without being a member.

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
    "channelize-start-watching",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/start_watching",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    membership::watch(&cx, &request.caller, &id).await?;
    no_content()
}
