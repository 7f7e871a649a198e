//! PUT /v2/conversations/{conversation_id}/update_title
//!
//! Changes the title of a conversation; for its admins.

use std::sync::Arc;

use domain::{Dialect, Error, entry::Changes};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::conversation,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-update-conversation-title",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}/update_title",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    title: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let title = body.title.filter(|title| !title.is_empty());
    let title = title.ok_or_else(|| Error::invalid("title", "is required"))?;
    let changes = Changes { title: Some(title), ..Changes::default() };
    conversation::update(&cx, &request.caller, Dialect::Channelize, &id, changes).await?;
    let portrait = show::portrait_for(&cx, &request.caller, &id, false).await?;
    reply(StatusCode::OK, &portrait.wire())
}
