//! GET /disconnect
//!
//! As `POST /disconnect`, with the id in the query. Wire page, Endpoints.

use domain::Dialect;
use http::Method;

use super::{disconnect::handle, request::answer_anybody};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-get-disconnect",
    Dialect::Channelstream,
    Method::GET,
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
