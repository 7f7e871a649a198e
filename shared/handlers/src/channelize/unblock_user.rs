//! POST /v2/users/unblock
//!
//! Blocks a user no longer.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use store::user::Relation;

use super::request::{Request, answer, no_content};
use crate::{
    channelize::relations::relate,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-unblock-user",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/unblock",
    &[Action::BatchGetItem, Action::DeleteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    relate(&cx, &request, Relation::Block, false).await?;
    no_content()
}
