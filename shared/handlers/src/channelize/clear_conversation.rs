//! DELETE /v2/conversations/{conversation_id}/clear
//!
//! Deletes the caller's own copies of everything in a private conversation.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-clear-conversation",
    Dialect::Channelize,
    Method::DELETE,
    "/v2/conversations/{conversation_id}/clear",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    messages::clear(&cx, &request.caller, Dialect::Channelize, &id, false).await?;
    no_content()
}
