//! POST /info
//!
//! Tells of channels, their histories and who listens; without a body, of all. Wire page, Endpoints.

use std::sync::Arc;

use dialects::channelstream::request::{self, Wanted};
use domain::{ConversationId, Dialect};
use http::Method;

use super::{
    attendance,
    request::{Refusal, answer, body, conversation, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-info",
    Dialect::Channelstream,
    Method::POST,
    "/info",
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

/// Also of `GET /info`.
pub(super) async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let wanted = if call.body.is_empty() { Wanted::default() } else { request::info(&body(&call)?)? };
    let channels: Vec<ConversationId> = match &wanted.channels {
        Some(names) => names.iter().map(|name| conversation(name)).collect(),
        None => cx.store.all_channels().await?,
    };
    attendance::sweep(&cx, &channels).await?;
    reply(&show::channels_info(&cx, &channels, &wanted).await?)
}
