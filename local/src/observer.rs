//! Lets tests see what each function does: its AWS actions, what they cost, and its posts.
//!
//! So that policies and budgets are held against what really happens, not against what is meant.

use crate::invoke::ENDPOINT;

/// Sees what handlers do.
pub trait Observer: Send + Sync {
    /// Called after each data operation on the table, and after each request to a connection, from the task that
    /// asked for it. It must not block.
    fn observe(&self, operation: &Operation);
}

impl<F: Fn(&Operation) + Send + Sync> Observer for F {
    fn observe(&self, operation: &Operation) {
        self(operation);
    }
}

/// One request to DynamoDB or to `@connections`.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The endpoint whose handler asked; none for the runner's own (the stream, the sweep, the table's making).
    pub endpoint: Option<&'static str>,
    /// The API's operation, `TransactWriteItems`, `PostToConnection`.
    pub name: String,
    /// As IAM sees them, sorted, each once: a transaction is its parts, `ConditionCheckItem`, `PutItem`;
    /// what goes to a connection is `ManageConnections`.
    pub actions: Vec<&'static str>,
    /// Whether it puts an entry into a log, and so might have had to take a turn.
    pub appends: bool,
    /// Read units as the answer tells them; 0 for a refused request.
    pub read_units: f64,
    /// Write units as the answer tells them (DynamoDB Local's are wrong for transactions, the embedded ones are
    /// AWS's); 0 for a refused request, although AWS charges for a failed condition.
    pub write_units: f64,
    /// Whether it was refused: a failed condition, a cancelled transaction, a connection that is gone.
    pub failed: bool,
}

/// The endpoint whose handler runs in this task.
pub(crate) fn endpoint() -> Option<&'static str> {
    ENDPOINT.try_with(|endpoint| *endpoint).ok()
}
