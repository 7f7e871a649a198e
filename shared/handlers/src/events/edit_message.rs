//! PUT /api/v1/messages/{messageId}
//!
//! Gives a message another text. The original has only the event of it; this call is ours.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, done};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-edit-message",
    Dialect::Events,
    Method::PUT,
    "/api/v1/messages/{messageId}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message) = request.message(&cx).await?;
    let text = request.content()?;
    let edit = |content: &mut domain::message::Content| content.text = Some(text.clone());
    messages::edit(&cx, &request.caller, Dialect::Events, &message.id, edit).await?;
    done()
}
