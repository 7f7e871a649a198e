//! POST /channels/{channel_id}/messages/{message_id}/replies
//!
//! Writes a reply to a message.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::{
    request::{Request, answer},
    send_message::write,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-send-reply",
    Dialect::Channels,
    Method::POST,
    "/channels/{channel_id}/messages/{message_id}/replies",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, parent) = (request.channel()?, request.message()?);
    write(&cx, &request, &id, Some(parent)).await
}
