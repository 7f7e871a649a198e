//! PUT /v2/conversations/{conversation_id}/update_settings
//!
//! Mutes a conversation for the caller, or no longer.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-update-conversation-settings",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}/update_settings",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    mute: Option<bool>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let mute = body.mute.ok_or_else(|| Error::invalid("mute", "is required"))?;
    membership::mute(&cx, &request.caller, &id, mute).await?;
    no_content()
}
