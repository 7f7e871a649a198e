//! The single table.

pub mod schema;

use aws_sdk_dynamodb::{Client, types::AttributeValue};

/// An item of the table, or a key.
#[expect(clippy::disallowed_types, reason = "the SDK's own type of an item")]
pub type Item = std::collections::HashMap<String, AttributeValue>;

/// The table, through the AWS SDK.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    /// The table of that name, through this client.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}
