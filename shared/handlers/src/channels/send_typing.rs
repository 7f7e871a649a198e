//! POST /channels/{channel_id}/typing
//!
//! Tells who subscribes that the caller types, or types no more.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::reading,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-send-typing",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/typing",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    is_typing: bool,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    let body: Body = request.body()?;
    reading::type_on(&cx, &request.caller, Dialect::Channels, &id, body.is_typing).await?;
    no_content()
}
