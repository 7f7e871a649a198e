//! Everything a host runs: endpoints, the operations behind them, and delivery.
//!
//! # Layout
//! - [`endpoints`]: the one list of all Lambda functions.
//! - [`endpoint`], [`invocation`], [`context`], [`gateway`], [`call`](mod@call): what a host needs to know.
//! - [`auth`], [`signature`], [`handshake`], [`json`]: who calls, and what a body says. [`metrics`]: what is counted.
//! - [`attachments`]: where files are kept.
//! - [`operations`]: what can be done, in no dialect's words.
//! - [`channelize`], [`channels`], [`channelstream`], [`events`], [`nkchat`]: a dialect each, a file per endpoint:
//!   decode, operation, encode.
//! - [`delivery`]: from the table's stream to the sockets. [`unrouted`]: what no route takes.
//!
//! # Invariants
//! - No handler posts an event. It writes; the stream brings what was written to [`delivery`].
//! - A handler knows no host: the same code answers in Lambda and in the runner.

pub mod attachments;
pub mod auth;
pub mod call;
pub mod channelize;
pub mod channels;
pub mod channelstream;
pub mod context;
pub mod delivery;
pub mod endpoint;
pub mod events;
pub mod gateway;
pub mod handshake;
pub mod invocation;
pub mod issuer;
pub mod json;
pub mod metrics;
pub mod nkchat;
pub mod operations;
pub mod signature;
pub mod unrouted;

use endpoint::Endpoint;

/// Every Lambda function there is. All else (routes, binaries, samples, policies) is checked against this list.
#[must_use]
pub fn endpoints() -> Vec<&'static Endpoint> {
    [
        channelize::endpoints(),
        channels::endpoints(),
        channelstream::endpoints(),
        events::endpoints(),
        nkchat::endpoints(),
        delivery::endpoints(),
        vec![&unrouted::ENDPOINT],
    ]
    .concat()
}
