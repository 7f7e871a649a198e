//! `$connect` of `/ws?conn_id=`
//!
//! Gives a connection that `POST /connect` made its socket. Who names none, or one that there is not, gets no
//! socket. What was missed is sent when the stream tells that there is a socket: nothing can be posted to one before
//! this has returned. Until then everything goes to the listener's mail. A second socket takes over from the first. Wire
//! page, Listener frames.

use std::sync::Arc;

use dialects::channelstream::schema;
use domain::{Dialect, Error};
use http::StatusCode;
use store::retry;

use super::catch_up;
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, answer_connect},
    invocation::{HttpReply, Invocation, SocketCall},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channelstream-socket-connect",
    Dialect::Channelstream,
    "$connect",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    answer_connect(invocation, refuse, |call| async move { handle(&cx, &call).await })
}

fn refuse(error: &Error) -> HttpReply {
    HttpReply::empty(match error {
        Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNAUTHORIZED,
    })
}

async fn handle(cx: &Context, call: &SocketCall) -> Result<HttpReply, Error> {
    const UNKNOWN: Error = Error::NotFound("Connection");
    let named = call.query.iter().find(|(name, _)| name == "conn_id");
    let id = named.and_then(|(_, id)| schema::uuid_of(id)).ok_or(UNKNOWN)?;
    for attempt in 0..retry::ATTEMPTS {
        let now = cx.clock.now();
        let listener = cx.store.listener(&id, now).await?.ok_or(UNKNOWN)?;
        let Some(bound) = cx.store.bind_socket(&listener, &call.connection_id, now).await? else {
            // Another socket was faster.
            retry::pause(attempt).await;
            continue;
        };
        if listener.socket.is_some() {
            // Nothing more is told at the one that this takes over from.
            catch_up::lead(cx, &bound).await?;
        }
        cx.store.announce_socket(&bound, &call.connection_id).await?;
        return Ok(HttpReply::empty(StatusCode::OK));
    }
    Err(Error::Busy)
}
