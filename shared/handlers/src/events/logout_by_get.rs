//! GET /api/v1/logout
//!
//! As POST: one page of the original's documentation has it so.

use domain::Dialect;
use http::Method;

use super::{logout::handle, request::answer};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-logout-by-get",
    Dialect::Events,
    Method::GET,
    "/api/v1/logout",
    &[
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| answer(cx, call, handle),
);
