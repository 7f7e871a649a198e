//! POST /v2/messages/delete
//!
//! Deletes the caller's own copies of messages. Seed 003, Delete Messages (Own Copy).

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, message_ids, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-delete-messages",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/delete",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    message_ids: Option<Vec<String>>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let ids = message_ids(body.message_ids)?;
    messages::delete_copies(&cx, &request.caller, Dialect::Channelize, &ids).await?;
    no_content()
}
