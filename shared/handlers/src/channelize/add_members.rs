//! POST /v2/conversations/{conversation_id}/add_members
//!
//! Adds members; for admins.

use std::sync::Arc;

use domain::{Dialect, Error, Role, entry::Arrival};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content, user_ids};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{create, membership},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-add-members",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations/{conversation_id}/add_members",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    members: Option<Vec<String>>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let members = user_ids("members", body.members.unwrap_or_default())?;
    if members.is_empty() {
        return Err(Error::invalid("members", "is required"));
    }
    membership::may_act(&cx, &request.caller, &id, Role::Admin).await?;
    create::known_users(&cx, &request.caller, Dialect::Channelize, &members).await?;
    membership::add(&cx, &request.caller, Dialect::Channelize, &id, &members, Arrival::Added).await?;
    no_content()
}
