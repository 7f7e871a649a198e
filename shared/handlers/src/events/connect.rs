//! `$connect` of `/api/v1/events`
//!
//! Accepts a signed-in user's socket. From then on it gets what the user may see. Seed 004, Overview.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::StatusCode;
use store::connection::Connection;

use super::{request::refuse, session};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, answer_connect},
    handshake,
    invocation::{HttpReply, Invocation, SocketCall},
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
    answer_connect(invocation, refuse, |call| async move { handle(&cx, &call).await })
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
