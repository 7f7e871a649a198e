//! PUT /v2/conversations/{conversation_id}/remove_admin
//!
//! Makes an admin a member; for those of a higher role.

use std::sync::Arc;

use domain::{Dialect, Error, UserId};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, no_content};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::membership::{self, RoleChange},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-remove-admin",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}/remove_admin",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_id: Option<String>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let user = body.user_id.ok_or_else(|| Error::invalid("userId", "is required"))?;
    let user = UserId::parse(user)?;
    membership::set_role(&cx, &request.caller, Dialect::Channelize, &id, &user, RoleChange::Demote).await?;
    no_content()
}
