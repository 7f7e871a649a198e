//! POST /v2/messages/{message_id}/remove_reaction
//!
//! Takes the caller's reaction to a message back. Seed 003, Remove Reaction.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    channelize::add_reaction::Reaction,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Change},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-remove-reaction",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/{message_id}/remove_reaction",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.message()?;
    let body: Reaction = request.body()?;
    let change = Change::Unreact(body.kind()?);
    messages::change(&cx, &request.caller, Dialect::Channelize, &id, change).await?;
    no_content()
}
