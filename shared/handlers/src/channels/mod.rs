//! Topics and their events: the socket at `/realtime`, and the REST under `/channels`. One file per endpoint.
//!
//! `socket` is what the socket's endpoints are asked, `request` and `show` what those of the REST are asked and
//! answer with; `resume` is what `subscribe` does; `frames` is what delivery asks.

pub mod connect;
pub mod default;
pub mod disconnect;
pub mod frames;
pub mod ping;
pub mod request;
pub mod resume;
pub mod socket;
pub mod subscribe;
pub mod typing;
pub mod unsubscribe;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![
        &connect::ENDPOINT,
        &disconnect::ENDPOINT,
        &default::ENDPOINT,
        &subscribe::ENDPOINT,
        &unsubscribe::ENDPOINT,
        &typing::ENDPOINT,
        &ping::ENDPOINT,
    ]
}
