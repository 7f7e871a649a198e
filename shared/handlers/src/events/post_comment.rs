//! POST /api/v1/messages/{messageId}/comments
//!
//! Writes a comment on a message. Its id comes with the event.

use std::sync::Arc;

use domain::{
    Dialect, Error,
    message::{Content, Kind},
};
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
    "events-post-comment",
    Dialect::Events,
    Method::POST,
    "/api/v1/messages/{messageId}/comments",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (view, parent) = request.message(&cx).await?;
    let text = Some(request.content()?);
    let content = Content { text, kind: Kind::Reply, thread_only: true, ..Content::default() };
    let draft = Draft { content, parent_id: Some(parent.id), ..Draft::default() };
    send::send(&cx, &request.caller, Dialect::Events, &view.conversation.id, vec![draft]).await?;
    done()
}
