//! DELETE /v2/conversations/{conversation_id}/ban
//!
//! Lifts bans; for moderators. The users come in a JSON body.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content};
use crate::{
    channelize::ban_users::banned,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-unban-users",
    Dialect::Channelize,
    Method::DELETE,
    "/v2/conversations/{conversation_id}/ban",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_ids: Option<Vec<String>>,
    reason: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let motive = body.reason.unwrap_or_default();
    for user in &banned(body.user_ids)? {
        membership::unban(&cx, &request.caller, Dialect::Channelize, &id, user, &motive).await?;
    }
    no_content()
}
