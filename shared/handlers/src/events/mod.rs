//! Virola's event stream: the socket at `/api/v1/events`. Its Web API is not here yet.

pub mod connect;
pub mod default;
pub mod disconnect;
pub mod frames;

use crate::endpoint::Endpoint;

/// This dialect's endpoints.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    vec![&connect::ENDPOINT, &disconnect::ENDPOINT, &default::ENDPOINT]
}
