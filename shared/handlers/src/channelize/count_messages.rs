//! GET /v2/conversations/{conversation_id}/messages/count
//!
//! How many messages of a conversation the caller may see. Seed 003, Get Messages Count: its "Body Params" come
//! as query values, which is how the SDK sends them.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, count};
use crate::{
    channelize::filter::filter,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{access, history, reach::Reach},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-count-messages",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}/messages/count",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let mut view = access::view_log(&cx, &request.caller, &request.conversation()?).await?;
    let messages = history::count(&cx, &mut view, &filter(&request)?, Reach::SEARCH).await?;
    count(u64::try_from(messages).unwrap_or(u64::MAX))
}
