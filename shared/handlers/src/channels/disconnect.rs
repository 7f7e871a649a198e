//! `$disconnect` of `/realtime`
//!
//! Forgets a connection.

use domain::Dialect;

use crate::{
    endpoint::{Action, Endpoint},
    handshake,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "channels-disconnect",
    Dialect::Channels,
    "$disconnect",
    &[Action::BatchWriteItem, Action::Query],
    handshake::ended,
);
