//! DELETE /api/v1/messages/{messageId}
//!
//! Takes a message back from everybody: the own one, or a moderator any.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::{
    request::{Request, answer, done},
    upload_attachments::remove_all,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Recaller},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-delete-message",
    Dialect::Events,
    Method::DELETE,
    "/api/v1/messages/{messageId}",
    &[
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::DeleteObject,
    ],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (_, message) = request.message(&cx).await?;
    let who = Recaller::AuthorOrModerator;
    let id = message.id.clone();
    messages::recall(&cx, &request.caller, Dialect::Events, &[id], who).await?;
    remove_all(&cx, &message).await?;
    done()
}
