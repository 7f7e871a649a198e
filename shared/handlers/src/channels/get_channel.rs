//! GET /channels/{channel_id}
//!
//! A channel, for whoever may know of it.

use std::sync::Arc;

use dialects::channels::channel::channel;
use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-get-channel",
    Dialect::Channels,
    Method::GET,
    "/channels/{channel_id}",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let seen = access::glance(&cx, &request.caller, &request.channel()?).await?;
    reply(StatusCode::OK, &channel(&seen.conversation))
}
