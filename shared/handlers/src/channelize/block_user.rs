//! POST /v2/users/block
//!
//! Blocks a user: neither can write to the other any more.

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
    "channelize-block-user",
    Dialect::Channelize,
    Method::POST,
    "/v2/users/block",
    &[Action::BatchGetItem, Action::DeleteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    relate(&cx, &request, Relation::Block, true).await?;
    no_content()
}
