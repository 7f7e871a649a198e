//! GET /v2/conversations
//!
//! The caller's conversations, last touched first. The application's server without a user sees all there are.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::{
        find_conversations::{find, page},
        get_conversation::includes_members,
        show::Portrait,
    },
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
    let with_members = includes_members(&request)?;
    request.window(25)?;
    request.ascending()?;
    let found = find(&cx, &request).await?;
    let portraits = page(&cx, &request, found, with_members).await?;
    reply(StatusCode::OK, &portraits.iter().map(Portrait::wire).collect::<Vec<_>>())
}
