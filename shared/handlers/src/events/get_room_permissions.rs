//! GET /api/v1/room-permissions/{roomId}
//!
//! What the caller may do in a room.

use std::{collections::BTreeMap, sync::Arc};

use dialects::events::permissions;
use domain::{Dialect, Error};
use http::Method;
use serde::Serialize;

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-room-permissions",
    Dialect::Events,
    Method::GET,
    "/api/v1/room-permissions/{roomId}",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    room_permissions: RoomPermissions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomPermissions {
    permissions: BTreeMap<&'static str, bool>,
    room_id: u64,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    let view = access::view(&cx, &request.caller, &id).await?;
    let may_write = view.actor().may_write(&view.conversation, cx.clock.now()).is_ok();
    let permissions = permissions::permissions(may_write);
    let room_id = view.conversation.number.0;
    reply(&Body { room_permissions: RoomPermissions { permissions, room_id } })
}
