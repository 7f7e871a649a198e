//! DELETE /api/v1/rooms/{roomId}
//!
//! Ends a room. The original has only the event of it; this call is ours.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, done};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::conversation,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-delete-room",
    Dialect::Events,
    Method::DELETE,
    "/api/v1/rooms/{roomId}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    match conversation::delete(&cx, &request.caller, Dialect::Events, &id).await {
        Err(Error::NotFound(_)) if conversation::is_deleted(&cx, &request.caller, &id).await? => done(),
        deleted => deleted.and_then(|()| done()),
    }
}
