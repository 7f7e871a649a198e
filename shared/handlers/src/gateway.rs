//! The way to the connections: API Gateway's Management API, one per dialect's WebSocket API.

use std::collections::BTreeMap;

use aws_sdk_apigatewaymanagement::Client;
use domain::Dialect;

/// The management clients, by dialect.
///
/// The SDK's own retries must be off in these clients: the delivery retries within its deadline.
#[derive(Debug, Clone, Default)]
pub struct Gateway(BTreeMap<Dialect, Client>);

impl Gateway {
    /// A gateway of these clients. A dialect without a WebSocket API has none.
    #[must_use]
    pub fn new(clients: BTreeMap<Dialect, Client>) -> Self {
        Self(clients)
    }

    /// The dialect's client.
    #[must_use]
    pub fn client(&self, dialect: Dialect) -> Option<&Client> {
        self.0.get(&dialect)
    }
}
