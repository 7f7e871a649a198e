//! POST /v2/conversations/{conversation_id}/send_typing_status
//!
//! Says that the caller types, or types no more; for those who may write.

use std::sync::Arc;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::reading,
};
use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-send-typing-status",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/send_typing_status",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    is_typing: Option<bool>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let typing = body.is_typing.ok_or_else(|| Error::invalid("isTyping", "is required"))?;
    reading::type_on(&cx, &request.caller, Dialect::Channelize, &id, typing).await?;
    no_content()
}
