//! `$default` of `/realtime`
//!
//! A message whose `action` is none, or that is no JSON: answered with an error, and the socket stays open.

use std::sync::Arc;

use domain::{Dialect, Error};
use serde::de::IgnoredAny;

use super::socket::{Command, answer};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-default",
    Dialect::Channels,
    "$default",
    &[Action::BatchWriteItem, Action::GetItem, Action::Query, Action::UpdateItem, Action::ManageConnections],
    |cx, call| answer(cx, call, handle),
);

async fn handle(_cx: Arc<Context>, command: Arc<Command>) -> Result<(), Error> {
    command.body::<IgnoredAny>()?;
    Err(Error::invalid("action", "must be subscribe, unsubscribe, typing or ping"))
}
