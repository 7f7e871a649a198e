//! GET /api/v1/rooms
//!
//! The caller's rooms, as the caller sees them: one Query lists them, one each says what is new.

use std::sync::Arc;

use dialects::events::room::Room;
use domain::{Dialect, Error};
use http::Method;
use serde::Serialize;

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-list-rooms",
    Dialect::Events,
    Method::GET,
    "/api/v1/rooms",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
struct Body {
    rooms: Vec<Room>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let user = request.caller.user()?;
    let memberships = cx.store.memberships(user).await?;
    reply(&Body { rooms: show::rooms(&cx, user, memberships).await? })
}
