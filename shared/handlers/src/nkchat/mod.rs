//! NetComposer nkchat: commands both ways on the socket `/nkchat`, and `POST /nkchat/rpc`.
//!
//! # Layout
//! - [`connect`], [`disconnect`], [`default`] (class `core`, and what is no command), [`user`], [`conversation`],
//!   [`message`] (class `chat`, a function each), [`rpc`].
//! - [`session`]: what is known about a socket between two frames. [`socket`]: from a frame to its answer.
//!   [`command`]: who asks, and which commands there are.
//! - [`core`], [`relay`], [`search`]: commands. [`frames`]: the events that the fan-out brings. [`personal`]: those of
//!   one user or session.

pub mod command;
pub mod connect;
pub mod conversation;
pub mod core;
pub mod default;
pub mod disconnect;
pub mod frames;
pub mod message;
pub mod personal;
pub mod relay;
pub mod rpc;
pub mod search;
pub mod session;
pub mod socket;
pub mod user;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &connect::ENDPOINT,
        &disconnect::ENDPOINT,
        &user::ENDPOINT,
        &conversation::ENDPOINT,
        &message::ENDPOINT,
        &default::ENDPOINT,
        &rpc::ENDPOINT,
    ]
}
