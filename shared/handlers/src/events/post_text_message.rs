//! POST /api/v1/rooms/{roomId}/text-messages
//!
//! As POST of `messages`: the older path, which `curl` uses without saying that its body is JSON.

use domain::Dialect;
use http::Method;

use super::{post_message::handle, request::answer};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "events-post-text-message",
    Dialect::Events,
    Method::POST,
    "/api/v1/rooms/{roomId}/text-messages",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);
