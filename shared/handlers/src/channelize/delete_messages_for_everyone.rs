//! POST /v2/messages/delete_for_everyone
//!
//! Recalls the caller's messages from everybody. Seed 003, Delete Messages for Everyone.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, message_ids, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Recaller},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-delete-messages-for-everyone",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/delete_for_everyone",
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
    messages::recall(&cx, &request.caller, Dialect::Channelize, &ids, Recaller::Author).await?;
    reply::<[(); 0]>(StatusCode::OK, &[])
}
