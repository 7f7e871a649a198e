//! `$default` of `/nkchat`
//!
//! Class `core`, the clients' answers and events, and what is no frame at all: that closes the socket. Wire page,
//! "Framing" and "Core commands".

use domain::Dialect;

use super::{command::Scope, socket};
use crate::endpoint::{Action, Endpoint};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-default",
    Dialect::Nkchat,
    "$default",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| socket::answer(cx, call, Scope::Core),
);
