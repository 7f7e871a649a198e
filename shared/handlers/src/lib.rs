//! Everything a host runs: endpoints, the operations behind them, and delivery.
//!
//! # Layout
//! - `endpoint`, `invocation`, `context`, `gateway`: what a host needs to know.
//! - [`endpoints`]: the one list of all Lambda functions.

pub mod auth;
pub mod channelize;
pub mod context;
pub mod endpoint;
pub mod gateway;
pub mod invocation;
pub mod json;
pub mod operations;

use endpoint::Endpoint;

/// Every Lambda function there is. All else (routes, binaries, samples, policies) is checked against this list.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    channelize::endpoints()
}
