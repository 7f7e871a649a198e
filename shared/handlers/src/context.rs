//! What a handler has besides its call: the store, the gateway to connections, the secrets, the clock.

use std::{fmt, sync::Arc};

use domain::Timestamp;
use store::Store;

use crate::{attachments::Attachments, delivery::road::Road, gateway::Gateway, issuer::Issuer};

/// Made once per process, shared by all calls.
#[derive(Debug)]
pub struct Context {
    /// The table.
    pub store: Store,
    /// The way to the connections.
    pub gateway: Gateway,
    /// The topics, and how fast and how often may be posted.
    pub road: Road,
    /// Where the bytes of attachments are kept.
    pub attachments: Attachments,
    /// What proves who is calling.
    pub secrets: Secrets,
    /// Now. A value, so that tests can stop it.
    pub clock: Clock,
    /// Origins that a browser may open a WebSocket from; empty: any.
    pub allowed_origins: Vec<String>,
}

/// A source of the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The clock of the machine.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(|| {
            let since =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// A clock that asks `now`.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// What proves who is calling. Never printed.
#[derive(Clone)]
pub struct Secrets {
    /// Known to the application's server.
    pub server: String,
    /// Signs user tokens, HS256.
    pub token_key: String,
    /// Who else may sign user tokens.
    pub issuer: Option<Arc<Issuer>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(redacted)")
    }
}
