//! `$connect` of `/api/v1/events`
//!
//! Accepts a signed-in user's socket. From then on it gets what the user may see. Seed 004, Overview.

use std::sync::Arc;

use dialects::events::error;
use domain::{Dialect, Error};
use http::StatusCode;
use store::connection::Connection;

use super::session;
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling},
    handshake,
    invocation::{HttpReply, Invocation, Reply, SocketCall},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "events-connect",
    Dialect::Events,
    "$connect",
    &[Action::BatchWriteItem, Action::GetItem, Action::PutItem, Action::UpdateItem],
    answer,
);

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Socket(call) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Http(handle(&cx, &call).await.unwrap_or_else(|error| {
            if let Error::Internal(text) = &error {
                tracing::error!(request_id = call.request_id, text, "internal error");
            }
            let (status, body) = error::encode(&error);
            HttpReply::json(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body)
        }))
    })
}

async fn handle(cx: &Context, call: &SocketCall) -> Result<HttpReply, Error> {
    let (caller, reply) = match handshake::user(cx, call).await? {
        Some(proved) => proved,
        None => {
            let (caller, _) = session::by_cookie(cx, &call.headers).await?.ok_or(session::NOBODY)?;
            (caller, HttpReply::empty(StatusCode::OK))
        }
    };
    let since = cx.clock.now();
    let user = caller.user()?.clone();
    let id = call.connection_id.clone();
    let connection = Connection { id, user, dialect: Dialect::Events, since, arrays: false };
    cx.store.put_connection(&connection, since).await?;
    Ok(reply)
}
