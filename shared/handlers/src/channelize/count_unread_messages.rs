//! GET /v2/messages/unread/count
//!
//! How many messages the caller has not read, in all conversations together. Seed 003, Get Unread Message Count.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::request::{Request, answer, count};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::reading,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-count-unread-messages",
    Dialect::Channelize,
    Method::GET,
    "/v2/messages/unread/count",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    count(reading::unread_total(&cx, request.caller.user()?).await?)
}
