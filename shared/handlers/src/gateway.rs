//! The way to the connections: API Gateway's Management API, one per dialect's WebSocket API.
//!
//! In AWS it is the SDK's client. The runner has the connections in its own process, and is asked directly: an
//! SDK call takes longer than the whole rest of a local delivery (`docs/decisions/0006`).

use std::{collections::BTreeMap, fmt, sync::Arc};

use aws_sdk_apigatewaymanagement::{
    Client, error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
};
use bytes::Bytes;
use domain::Dialect;

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostError {
    /// The connection has ended (410).
    Gone,
    /// Too many calls, or a client that does not read (429): later, perhaps.
    Throttled,
    /// A server's error, or no answer: later, perhaps.
    Later,
    /// It will never be taken: too large, malformed, or not ours to post to.
    Refused,
}

/// A host that has the connections itself.
pub trait Sockets: Send + Sync {
    /// Hands a text frame to a connection. Never waits.
    ///
    /// # Errors
    /// [`PostError`].
    fn post(&self, dialect: Dialect, connection: &str, frame: Bytes) -> Result<(), PostError>;

    /// Closes a connection, so that its client comes back and resumes.
    fn close(&self, dialect: Dialect, connection: &str);
}

/// The way to the connections.
#[derive(Clone)]
pub enum Gateway {
    /// Over the Management API. The SDK's own retries must be off in these clients: the delivery retries
    /// within its deadline. A dialect without a WebSocket API has none.
    Api(BTreeMap<Dialect, Client>),
    /// Straight to a host that has them.
    Host(Arc<dyn Sockets>),
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api(_) => "Gateway::Api",
            Self::Host(_) => "Gateway::Host",
        })
    }
}

impl Gateway {
    /// Posts a text frame to a connection.
    ///
    /// # Errors
    /// [`PostError`].
    pub async fn post(&self, dialect: Dialect, connection: &str, frame: Bytes) -> Result<(), PostError> {
        let clients = match self {
            Self::Host(sockets) => return sockets.post(dialect, connection, frame),
            Self::Api(clients) => clients,
        };
        let Some(client) = clients.get(&dialect) else {
            tracing::error!(dialect = dialect.name(), "this function knows no gateway for the dialect");
            return Err(PostError::Refused);
        };
        let sent =
            client.post_to_connection().connection_id(connection).data(Blob::new(&*frame)).send().await;
        sent.map(|_| ()).map_err(|error| meaning(connection, &error))
    }

    /// Whether "gone" may mean "not there yet": API Gateway says the same of both.
    #[must_use]
    pub const fn may_be_early(&self) -> bool {
        matches!(self, Self::Api(_))
    }

    /// Closes a connection, so that its client comes back and resumes. Best effort.
    pub async fn close(&self, dialect: Dialect, connection: &str) {
        match self {
            Self::Host(sockets) => sockets.close(dialect, connection),
            Self::Api(clients) => {
                let Some(client) = clients.get(&dialect) else { return };
                if let Err(error) = client.delete_connection().connection_id(connection).send().await {
                    tracing::debug!(connection, ?error, "not closed");
                }
            }
        }
    }
}

fn meaning(connection: &str, error: &SdkError<PostToConnectionError>) -> PostError {
    if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) {
        return PostError::Gone;
    }
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(410) => PostError::Gone,
        Some(429) => PostError::Throttled,
        None | Some(500..) => PostError::Later,
        Some(status) => {
            tracing::error!(connection, status, "a frame was refused");
            PostError::Refused
        }
    }
}
