//! POST /api/v1/rooms
//!
//! Makes a room with the caller as its owner. The original has only the event of it; this call is ours.

use std::sync::Arc;

use dialects::events::room::Room;
use domain::{Dialect, Error, Number, Visibility};
use http::Method;
use serde::{Deserialize, Serialize};

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{access, create},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-create-room",
    Dialect::Events,
    Method::POST,
    "/api/v1/rooms",
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
    display_name: String,
    room_type: Option<RoomType>,
    #[serde(default)]
    members: Vec<u64>,
}

/// Who may come in.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum RoomType {
    /// Members only.
    Private,
    /// Anyone may join.
    Public,
}

impl From<RoomType> for Visibility {
    fn from(kind: RoomType) -> Self {
        match kind {
            RoomType::Private => Self::Private,
            RoomType::Public => Self::Public,
        }
    }
}

/// A room, in a reply.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Complete, as the caller sees it.
    pub room: Room,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    if body.display_name.trim().is_empty() {
        return Err(Error::invalid("displayName", "must not be empty"));
    }
    if body.members.len() > domain::limits::USERS_PER_CALL {
        return Err(Error::invalid("members", "has too many users"));
    }
    let mut members = Vec::with_capacity(body.members.len());
    for number in body.members {
        let user = cx.store.user_of(Number(number)).await?;
        members.push(user.ok_or_else(|| Error::invalid("members", "has a user that is none"))?.id);
    }
    let new = create::NewConversation {
        title: Some(body.display_name),
        members,
        ..create::NewConversation::of(body.room_type.unwrap_or(RoomType::Private).into())
    };
    request.caller.user()?;
    let made = create::create(&cx, &request.caller, Dialect::Events, new).await?;
    let view = access::view(&cx, &request.caller, &made.id).await?;
    reply(&Shown { room: show::room(&cx, &view).await? })
}
