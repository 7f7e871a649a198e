//! `$disconnect` of `/api/v1/events`
//!
//! Forgets a connection.

use domain::Dialect;

use crate::{
    endpoint::{Action, Endpoint},
    handshake,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "events-disconnect",
    Dialect::Events,
    "$disconnect",
    &[Action::BatchWriteItem, Action::Query],
    handshake::ended,
);
