//! What no route takes: the HTTP API's `$default` route.
//!
//! A path of a dialect that does not exist gets the dialect's own 404; any other path API Gateway's. The SDK
//! asks for `GET /v2/users/`: an HTTP API keeps the trailing slash, so its route does not take it, and it is
//! answered here as if it did. So is Channelstream's `/info` by the methods that nobody uses.

use std::sync::Arc;

use domain::Error;
use http::{Method, StatusCode};

use crate::{
    channelize, channels, channelstream,
    context::Context,
    endpoint::{Action, Endpoint, Handling, Trigger},
    events,
    invocation::{HttpReply, Invocation, Reply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint {
    name: "unrouted",
    dialect: None,
    trigger: Trigger::Unrouted,
    // Those of `channelize-list-users` and `channelstream-info`.
    access: &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    handler: answer,
};

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    let Invocation::Http(call) = &invocation else {
        return Box::pin(std::future::ready(Reply::Http(HttpReply::empty(
            StatusCode::INTERNAL_SERVER_ERROR,
        ))));
    };
    if call.method == Method::GET && call.path == "/v2/users/" {
        return (channelize::list_users::ENDPOINT.handler)(cx, invocation);
    }
    if channelstream::request::is_path(&call.path) {
        return channelstream::request::unrouted(cx, invocation);
    }
    let is_of = |root: &str| {
        call.path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let reply = if is_of("/api/v1") {
        events::request::refuse(&Error::NotFound("Route"))
    } else if call.path == "/v2" || call.path.starts_with("/v2/") {
        channelize::request::refuse(&Error::NotFound("Route"))
    } else if call.path == "/channels" || call.path.starts_with("/channels/") {
        channels::request::refuse(&Error::NotFound("Route"))
    } else {
        HttpReply::json(StatusCode::NOT_FOUND, br#"{"message":"Not Found"}"#.to_vec())
    };
    Box::pin(std::future::ready(Reply::Http(reply)))
}
