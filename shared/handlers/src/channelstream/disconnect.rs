//! POST /disconnect
//!
//! Ends a connection: anybody may who knows its id. Wire page, Endpoints.

use std::sync::Arc;

use dialects::channelstream::request;
use domain::Dialect;
use http::Method;
use serde_json::Value;

use super::{
    attendance,
    request::{Refusal, answer_anybody, body, query, reply},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-disconnect",
    Dialect::Channelstream,
    Method::POST,
    "/disconnect",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| answer_anybody(cx, call, handle),
);

/// Also of `GET /disconnect`.
pub(super) async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let conn_id = if call.method == Method::POST {
        body(&call)?.get("conn_id").cloned().unwrap_or(Value::Null)
    } else {
        query(&call, "conn_id").map_or(Value::Null, Value::from)
    };
    let id = request::disconnect(&conn_id)?;
    let Some(listener) = cx.store.listener(&id, cx.clock.now()).await? else { return reply(&false) };
    let ended = attendance::leave(&cx, &id, &listener.user).await?;
    if let Some(socket) = &listener.socket {
        cx.gateway.close(Dialect::Channelstream, socket).await;
    }
    reply(&ended)
}
