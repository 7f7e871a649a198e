//! WebSocket APIs as API Gateway has them: `$connect` before the handshake is answered, routes by the body,
//! `$disconnect` once.
//!
//! # Layout
//! - `handshake`: the request, `$connect`, the 101.
//! - `pump`: what comes and goes on an open socket, its limits and its end.
//! - `route`: which function a message goes to.
//!
//! One thing is stronger than in AWS: the messages of one connection are handled one after another, in order.

pub(crate) mod handshake;
pub(crate) mod pump;
mod route;

use std::time::Duration;

/// How long a socket may live. API Gateway's quotas by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTimes {
    /// Without anything coming or going.
    pub idle: Duration,
    /// In all.
    pub lifetime: Duration,
}

impl Default for SocketTimes {
    fn default() -> Self {
        Self { idle: Duration::from_secs(10 * 60), lifetime: Duration::from_secs(2 * 60 * 60) }
    }
}

/// The largest frame that a client may send, in bytes (API Gateway's quota).
pub const MAX_FRAME: usize = 32 * 1024;

/// How long a function of a WebSocket API may take (API Gateway's integration timeout).
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(29);
