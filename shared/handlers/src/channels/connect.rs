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
    endpoint::{Action, Endpoint, Handling},
    handshake,
    invocation::{HttpReply, Invocation, Reply, SocketCall},
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
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(refuse(&Error::Internal("$connect was called by something else".into())));
        };
        Reply::Http(handle(&cx, &call).await.unwrap_or_else(|error| {
            if let Error::Internal(text) = &error {
                tracing::error!(request_id = call.request_id, text, "internal error");
            }
            refuse(&error)
        }))
    })
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
