//! POST /v2/messages/{message_id}/unpin
//!
//! Unpins a message; for admins of its conversation. Seed 003, Unpin Message. The SDK sends no body, as a form.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Change},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-unpin-message",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/{message_id}/unpin",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.message()?;
    messages::change(&cx, &request.caller, Dialect::Channelize, &id, Change::Unpin).await?;
    no_content()
}
