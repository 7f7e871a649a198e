//! DELETE /v2/conversations/{conversation_id}/delete
//!
//! Removes the caller's own copy of a private conversation: what is in it, and its line in the caller's list,
//! until something new comes.

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
    "channelize-delete-conversation",
    Dialect::Channelize,
    Method::DELETE,
    "/v2/conversations/{conversation_id}/delete",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    messages::clear(&cx, &request.caller, Dialect::Channelize, &id, true).await?;
    no_content()
}
