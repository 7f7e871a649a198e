//! PUT /v2/conversations/{conversation_id}/update_profile
//!
//! Changes the picture of a conversation; for its admins.

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
    "channelize-update-conversation-profile",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}/update_profile",
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
#[serde(rename_all = "camelCase")]
struct Body {
    profile_image_url: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let url = body.profile_image_url.ok_or_else(|| Error::invalid("profileImageUrl", "is required"))?;
    let changes = Changes { image_url: Some(url), ..Changes::default() };
    conversation::update(&cx, &request.caller, Dialect::Channelize, &id, changes).await?;
    let portrait = show::portrait_for(&cx, &request.caller, &id, false).await?;
    reply(StatusCode::OK, &portrait.wire())
}
