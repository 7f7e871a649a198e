//! GET /info
//!
//! As `POST /info`, mostly without a body. Wire page, Endpoints.

use domain::Dialect;
use http::Method;

use super::{info::handle, request::answer};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-get-info",
    Dialect::Channelstream,
    Method::GET,
    "/info",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);
