//! `$connect` of `/realtime`
//!
//! Accepts a signed-in user's socket. It hears nothing before it subscribes. With `?batch=1` what it hears comes as
//! arrays of events. Seed 001, 1.

use std::sync::Arc;

use domain::{Dialect, Error};
use store::connection::Connection;

use super::{frames::POWERFUL, request::refuse};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, answer_connect},
    handshake,
    invocation::{HttpReply, Invocation, SocketCall},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-connect",
    Dialect::Channels,
    "$connect",
    &[Action::BatchWriteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    answer_connect(invocation, refuse, |call| async move { handle(&cx, &call).await })
}

async fn handle(cx: &Context, call: &SocketCall) -> Result<HttpReply, Error> {
    const NOBODY: Error = Error::Unauthenticated("A token is required.");
    let (caller, reply) = handshake::user(cx, call).await?.ok_or(NOBODY)?;
    let user = caller.user()?.clone();
    let now = cx.clock.now();
    let id = call.connection_id.clone();
    let arrays = handshake::wants_arrays(call)?;
    let connection = Connection { id, user, dialect: Dialect::Channels, since: now, arrays };
    let detail = caller.powerful.then_some(POWERFUL);
    cx.store.put_connection_with(&connection, detail, now).await?;
    Ok(reply)
}
