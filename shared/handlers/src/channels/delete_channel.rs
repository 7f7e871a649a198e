//! DELETE /channels/{channel_id}
//!
//! Ends a channel; for its owner. Ending it again is no error.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::conversation,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-delete-channel",
    Dialect::Channels,
    Method::DELETE,
    "/channels/{channel_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    match conversation::delete(&cx, &request.caller, Dialect::Channels, &id).await {
        Err(Error::NotFound(_)) if conversation::is_deleted(&cx, &request.caller, &id).await? => no_content(),
        done => done.and_then(|()| no_content()),
    }
}
