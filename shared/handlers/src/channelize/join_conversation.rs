//! POST /v2/conversations/{conversation_id}/join
//!
//! The caller becomes a member of a conversation that is not private.

use std::sync::Arc;

use domain::{Dialect, Error, entry::Arrival};
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
    "channelize-join-conversation",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/join",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let own = std::slice::from_ref(request.caller.user()?);
    membership::add(&cx, &request.caller, Dialect::Channelize, &id, own, Arrival::Joined).await?;
    no_content()
}
