//! POST /v2/messages/{message_id}/pin
//!
//! Pins a message; for admins of its conversation. Seed 003, Pin Message. The SDK sends no body, as a form.

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
    "channelize-pin-message",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/{message_id}/pin",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.message()?;
    messages::change(&cx, &request.caller, Dialect::Channelize, &id, Change::Pin).await?;
    no_content()
}
