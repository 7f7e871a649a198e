//! POST /api/v1/messages/{messageId}/read
//!
//! Says that the caller has read the room up to this message. Said again, it changes nothing.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, done};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::reading,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-read-message",
    Dialect::Events,
    Method::POST,
    "/api/v1/messages/{messageId}/read",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    request.no_malformed_body()?;
    let (view, message) = request.message(&cx).await?;
    reading::mark_read_to(&cx, &view, message.place.seq).await?;
    done()
}
