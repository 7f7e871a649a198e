//! `typing` on `/realtime`
//!
//! `{"action":"typing","channel_id","is_typing"}`: tells who subscribes. Seed 001, 8.

use std::sync::Arc;

use domain::{ConversationId, Dialect, Error};
use serde::Deserialize;

use super::socket::{Command, answer};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    operations::reading,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-typing",
    Dialect::Channels,
    "typing",
    &[
        Action::BatchWriteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    channel_id: String,
    is_typing: bool,
}

async fn handle(cx: Arc<Context>, command: Arc<Command>) -> Result<(), Error> {
    let body: Body = command.body()?;
    let id = ConversationId::parse(body.channel_id).map_err(|_invalid| Error::NotFound("Conversation"))?;
    reading::type_on(&cx, &command.caller, Dialect::Channels, &id, body.is_typing).await
}
