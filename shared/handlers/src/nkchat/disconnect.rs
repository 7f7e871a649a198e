//! `$disconnect` of `/nkchat`
//!
//! Forgets a connection. It may never be called: a post that finds the connection gone does the same, and so
//! does the time to live.

use std::sync::Arc;

use domain::Dialect;
use http::StatusCode;

use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling},
    invocation::{HttpReply, Invocation, Reply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-disconnect",
    Dialect::Nkchat,
    "$disconnect",
    &[Action::BatchWriteItem, Action::Query],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let removed = cx.store.remove_connection(&call.connection_id).await;
        let status = match removed {
            Ok(()) => StatusCode::OK,
            Err(error) => {
                tracing::warn!(connection = call.connection_id, %error, "a connection is left to its time to live");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Reply::Http(HttpReply::empty(status))
    })
}
