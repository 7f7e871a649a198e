//! POST /subscribe
//!
//! Subscribes a connection to channels, which come into being. Seed 000; wire page, Endpoints.

use std::sync::Arc;

use dialects::channelstream::request;
use domain::{ConversationId, Dialect};
use http::Method;
use serde::Serialize;

use super::{
    attendance,
    request::{Refusal, answer, conversation, reply, subscription},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-subscribe",
    Dialect::Channelstream,
    Method::POST,
    "/subscribe",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
struct Body {
    channels: Vec<ConversationId>,
    channels_info: dialects::channelstream::info::ChannelsInfo,
    subscribed_to: Vec<ConversationId>,
}

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let (body, conn_id, listener) = subscription(&cx, &call).await?;
    let asked = request::subscribe(&body, conn_id, listener.is_some())?;
    let listener = listener.ok_or(Refusal::UnknownListener)?;
    let channels: Vec<ConversationId> = asked.channels.iter().map(|name| conversation(name)).collect();
    let mut subscribed_to = attendance::subscribe(&cx, &listener, &channels, &asked.channel_configs).await?;
    subscribed_to.sort();
    let channels = attendance::channels_of(&cx, &listener.id).await?;
    attendance::sweep(&cx, &channels).await?;
    let channels_info = show::channels_info(&cx, &channels, &asked.info).await?;
    reply(&Body { channels, channels_info, subscribed_to })
}
