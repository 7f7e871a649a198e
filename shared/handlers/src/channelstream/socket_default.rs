//! `$default` of `/ws`
//!
//! What a client sends (its heartbeat) is taken and means nothing: a socket that is open is a sign of life. Wire
//! page, Listener frames.

use std::sync::Arc;

use domain::Dialect;
use http::StatusCode;

use crate::{
    context::Context,
    endpoint::{Endpoint, Handling},
    invocation::{HttpReply, Invocation, Reply},
};

/// The function.
pub static ENDPOINT: Endpoint =
    Endpoint::socket("channelstream-socket-default", Dialect::Channelstream, "$default", &[], answer);

fn answer(_cx: Arc<Context>, _invocation: Invocation) -> Handling {
    Box::pin(std::future::ready(Reply::Http(HttpReply::empty(StatusCode::OK))))
}
