//! GET /api/v1/rooms/{roomId}/avatar.jpg
//!
//! Where the room's picture is, if there is one.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;

use super::{
    avatar,
    request::{Request, answer},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::access,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-room-avatar",
    Dialect::Events,
    Method::GET,
    "/api/v1/rooms/{roomId}/avatar.jpg",
    &[Action::GetItem, Action::PutItem, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.room(&cx).await?;
    let view = access::view(&cx, &request.caller, &id).await?;
    avatar::reply(view.conversation.image_url.as_deref())
}
