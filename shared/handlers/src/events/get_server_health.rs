//! GET /api/v1/server-health
//!
//! Says that the server answers, to anybody. The original's body is not documented.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::Method;
use serde::Serialize;

use super::request::{Request, answer_anybody, reply};
use crate::{context::Context, endpoint::Endpoint, invocation::HttpReply};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-get-server-health",
    Dialect::Events,
    Method::GET,
    "/api/v1/server-health",
    &[],
    |cx, call| answer_anybody(cx, call, handle),
);

#[derive(Serialize)]
struct Body {
    status: &'static str,
}

async fn handle(_cx: Arc<Context>, _request: Request) -> Result<HttpReply, Error> {
    reply(&Body { status: "Ok" })
}
