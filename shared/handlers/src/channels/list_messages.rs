//! GET /channels/{channel_id}/messages
//!
//! The messages of a channel that the caller may see, replies among them, newest first.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-list-messages",
    Dialect::Channels,
    Method::GET,
    "/channels/{channel_id}/messages",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let mut view = access::view_log(&cx, &request.caller, &request.channel()?).await?;
    let page = show::texts(&cx, &request, &mut view, None).await?;
    reply(StatusCode::OK, &page)
}
