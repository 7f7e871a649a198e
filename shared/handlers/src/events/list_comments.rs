//! GET /api/v1/messages/{messageId}/comments
//!
//! A page of the comments on a message, the oldest first.

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
    operations::{
        messages::NO_MESSAGE,
        transcript::{self, Window},
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-list-comments",
    Dialect::Events,
    Method::GET,
    "/api/v1/messages/{messageId}/comments",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    messages: Vec<TextMessage>,
    parent_message_id: u64,
    room_id: u64,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (mut view, parent) = request.message(&cx).await?;
    let number = view.conversation.number;
    let window = Window { thread: Some(parent.place.seq), ..request.window(number)? };
    // Where nothing was ever replied, nothing must be read.
    let page = match parent.state.replies {
        0 => Vec::new(),
        _ => transcript::list(&cx, &mut view, window).await?,
    };
    let parent_message_id = parent.place.packed().ok_or(NO_MESSAGE)?;
    let messages = show::messages(&cx, &view, &page).await?;
    reply(&Body { messages, parent_message_id, room_id: number.0 })
}
