//! POST /api/v1/rooms/{roomId}/messages
//!
//! Writes a message. Its id comes with the event.

use std::sync::Arc;

use domain::{Dialect, Error, message::Content};
use http::Method;

use super::request::{Request, answer, done};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::send::{self, Draft},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-post-message",
    Dialect::Events,
    Method::POST,
    "/api/v1/rooms/{roomId}/messages",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

pub(super) async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    let content = Content { text: Some(request.content()?), ..Content::default() };
    let draft = Draft { content, ..Draft::default() };
    send::send(&cx, &request.caller, Dialect::Events, &id, vec![draft]).await?;
    done()
}
