//! GET /v2/conversations/{conversation_id}
//!
//! A conversation, as the caller sees it; with its members if `include=members`.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-get-conversation",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let with_members = includes_members(&request)?;
    let portrait = show::portrait_for(&cx, &request.caller, &id, with_members).await?;
    reply(StatusCode::OK, &portrait.wire())
}

/// Whether the members are wanted too.
///
/// # Errors
/// [`Error::Invalid`] for anything else that is to be included.
pub(super) fn includes_members(request: &Request) -> Result<bool, Error> {
    match request.list("include").as_deref() {
        None => Ok(false),
        Some(["members"]) => Ok(true),
        Some(_) => Err(Error::invalid("include", "must be members")),
    }
}
