//! GET /channels/{channel_id}/messages/{message_id}/replies
//!
//! The replies to a message that the caller may see, newest first.

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
    operations::{access, messages},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-list-replies",
    Dialect::Channels,
    Method::GET,
    "/channels/{channel_id}/messages/{message_id}/replies",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, message) = (request.channel()?, request.message()?);
    let mut view = access::view_log(&cx, &request.caller, &id).await?;
    show::is_in(&cx, &id, &message).await?;
    let parent = messages::visible(&cx, &request.caller, &message).await?;
    let page = show::texts(&cx, &request, &mut view, Some(&parent)).await?;
    reply(StatusCode::OK, &page)
}
