//! GET /api/v1/rooms/{roomId}/messages
//!
//! A page of what was said in a room, the oldest first; comments are listed at what they comment.

use std::sync::Arc;

use dialects::events::message::TextMessage;
use domain::{Dialect, Error};
use http::Method;
use serde::Serialize;

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{access, transcript},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-list-messages",
    Dialect::Events,
    Method::GET,
    "/api/v1/rooms/{roomId}/messages",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    messages: Vec<TextMessage>,
    room_id: u64,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    let mut view = access::view_log(&cx, &request.caller, &id).await?;
    let number = view.conversation.number;
    let page = transcript::list(&cx, &mut view, request.window(number)?).await?;
    reply(&Body { messages: show::messages(&cx, &view, &page).await?, room_id: number.0 })
}
