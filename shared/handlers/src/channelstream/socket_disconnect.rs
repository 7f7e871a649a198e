//! `$disconnect` of `/ws`
//!
//! Ends the connection whose socket this was, and tells its channels; unless another socket has taken over. It may
//! never be called: a post that finds the socket gone does the same. Wire page, Listener frames.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::StatusCode;

use super::attendance;
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling},
    invocation::{HttpReply, Invocation, Reply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channelstream-socket-disconnect",
    Dialect::Channelstream,
    "$disconnect",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let status = match closed(&cx, &call.connection_id).await {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::warn!(connection = call.connection_id, %error, "a connection is left to its time to live");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Reply::Http(HttpReply::empty(status))
    })
}

/// Ends the connection whose socket has closed. Again is no error.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn closed(cx: &Context, socket: &str) -> Result<(), Error> {
    let Some(found) = cx.store.socket(socket).await? else { return Ok(()) };
    cx.store.remove_socket(socket).await?;
    let listener = cx.store.listener(&found.listener, cx.clock.now()).await?;
    if listener.is_some_and(|listener| listener.socket.as_deref() == Some(socket)) {
        attendance::leave(cx, &found.listener, &found.user).await?;
    }
    Ok(())
}
