//! GET /v2/conversations/count
//!
//! How many conversations the list would show.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, count};
use crate::{
    channelize::find_conversations::find,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-count-conversations",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/count",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let found = find(&cx, &request).await?;
    count(u64::try_from(found.len()).unwrap_or(u64::MAX))
}
