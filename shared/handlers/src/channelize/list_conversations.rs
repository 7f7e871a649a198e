//! GET /v2/conversations
//!
//! The caller's conversations, last touched first. The application's server without a user sees all there are.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::{find_conversations::find, get_conversation::includes_members, show::Portrait},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-conversations",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (limit, skip) = request.window(25)?;
    let ascending = request.ascending()?;
    let with_members = includes_members(&request)?;
    let mut portraits = find(&cx, &request, with_members).await?;
    portraits.sort_by_key(Portrait::touched_at);
    if !ascending {
        portraits.reverse();
    }
    let page: Vec<_> = portraits.iter().skip(skip).take(limit).map(Portrait::wire).collect();
    reply(StatusCode::OK, &page)
}
