//! DELETE /channels/{channel_id}/messages/{message_id}
//!
//! Takes a message back from everybody; for its author and for moderators. Doing it again is no error.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::{
    request::{Request, answer, no_content},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages::{self, Recaller},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-delete-message",
    Dialect::Channels,
    Method::DELETE,
    "/channels/{channel_id}/messages/{message_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, message) = (request.channel()?, request.message()?);
    show::is_in(&cx, &id, &message).await?;
    let who = Recaller::AuthorOrModerator;
    messages::recall(&cx, &request.caller, Dialect::Channels, &[message], who).await?;
    no_content()
}
