//! GET /v2/conversations/{conversation_id}/messages
//!
//! The messages of a conversation that the caller may see, last written first. Seed 003, Get Messages.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};

use super::request::{Request, answer, reply};
use crate::{
    channelize::{filter::filter, show},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{
        access,
        history::{self, Slice},
        reach::Reach,
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-list-messages",
    Dialect::Channelize,
    Method::GET,
    "/v2/conversations/{conversation_id}/messages",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let mut view = access::view_log(&cx, &request.caller, &request.conversation()?).await?;
    let (limit, skip) = request.window(50)?;
    let slice = Slice { ascending: request.ascending()?, skip, limit, reach: Reach::SEARCH };
    let shown = history::list(&cx, &mut view, &filter(&request)?, slice).await?;
    let scene = show::scene(&cx, &view, &shown).await?;
    let wire: Vec<_> = shown.iter().filter_map(|one| show::wire(one, &view.conversation, &scene)).collect();
    reply(StatusCode::OK, &wire)
}
