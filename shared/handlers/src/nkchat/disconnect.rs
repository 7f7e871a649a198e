//! `$disconnect` of `/nkchat`
//!
//! Forgets a connection.

use domain::Dialect;

use crate::{
    endpoint::{Action, Endpoint},
    handshake,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-disconnect",
    Dialect::Nkchat,
    "$disconnect",
    &[Action::BatchWriteItem, Action::Query],
    handshake::ended,
);
