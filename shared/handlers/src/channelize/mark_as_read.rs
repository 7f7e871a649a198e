//! PUT /v2/conversations/{conversation_id}/mark_as_read
//!
//! Marks as read what the log took up to a time, or all of it. Seed 003, Mark Messages Read.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Date, Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::reading,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-mark-as-read",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}/mark_as_read",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    timestamp: Option<Date>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    reading::mark_read(&cx, &request.caller, &id, body.timestamp.map(|date| date.0)).await?;
    no_content()
}
