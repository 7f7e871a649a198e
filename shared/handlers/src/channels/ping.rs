//! `ping` on `/realtime`
//!
//! Answers `pong`, so that a client knows that both ways are open.

use std::sync::Arc;

use domain::{Dialect, Error, Object};

use super::socket::{Command, answer};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-ping",
    Dialect::Channels,
    "ping",
    &[Action::BatchWriteItem, Action::GetItem, Action::Query, Action::UpdateItem, Action::ManageConnections],
    |cx, call| answer(cx, call, handle),
);

async fn handle(cx: Arc<Context>, command: Arc<Command>) -> Result<(), Error> {
    command.reply(&cx, "pong", &Object::new()).await;
    Ok(())
}
