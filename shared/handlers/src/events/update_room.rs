//! PUT /api/v1/rooms/{roomId}
//!
//! Gives a room another name or type. The original has only the event of it; this call is ours.

use std::sync::Arc;

use domain::{Dialect, Error, entry::Changes};
use http::Method;
use serde::Deserialize;

use super::{
    create_room::{RoomType, Shown},
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{access, conversation, pin},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-update-room",
    Dialect::Events,
    Method::PUT,
    "/api/v1/rooms/{roomId}",
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
#[serde(rename_all = "camelCase")]
struct Body {
    display_name: Option<String>,
    room_type: Option<RoomType>,
    /// The caller's own; the rest is everybody's.
    is_pinned: Option<bool>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    let body: Body = request.body()?;
    if body.display_name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::invalid("displayName", "must not be empty"));
    }
    let changes = Changes {
        title: body.display_name,
        visibility: body.room_type.map(Into::into),
        ..Changes::default()
    };
    if !changes.is_empty() || body.is_pinned.is_none() {
        conversation::update(&cx, &request.caller, Dialect::Events, &id, changes).await?;
    }
    if let Some(on) = body.is_pinned {
        pin::pin(&cx, &request.caller, Dialect::Events, &id, on).await?;
    }
    let view = access::view(&cx, &request.caller, &id).await?;
    reply(&Shown { room: show::room(&cx, &view).await? })
}
