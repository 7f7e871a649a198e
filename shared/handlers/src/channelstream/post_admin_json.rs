//! POST /admin/admin.json
//!
//! As `GET /admin/admin.json`. Wire page, Endpoints.

use domain::Dialect;
use http::Method;

use super::{admin_json::handle, request::answer_anybody};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-post-admin-json",
    Dialect::Channelstream,
    Method::POST,
    "/admin/admin.json",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer_anybody(cx, call, handle),
);
