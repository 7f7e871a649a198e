//! `$default` of `/api/v1/events`
//!
//! The stream goes one way: what a client sends is taken and means nothing. Seed 004 ("server to client
//! only" on the wire page: the official client sends no frame).

use std::sync::Arc;

use domain::Dialect;
use http::StatusCode;

use crate::{
    context::Context,
    endpoint::{Endpoint, Handling},
    invocation::{HttpReply, Invocation, Reply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket("events-default", Dialect::Events, "$default", &[], answer);

fn answer(_cx: Arc<Context>, _invocation: Invocation) -> Handling {
    Box::pin(std::future::ready(Reply::Http(HttpReply::empty(StatusCode::OK))))
}
