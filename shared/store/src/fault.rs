//! What the SDK's errors mean.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::Error;

/// Codes that mean "later": nothing was done, or nothing is known to have been done.
const BUSY: [&str; 6] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "LimitExceededException",
];

/// A failed call, in the domain's words.
pub(crate) fn of<E, R>(operation: &str, error: &SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    if error.code().is_some_and(|code| BUSY.contains(&code)) {
        tracing::warn!(operation, code = error.code(), "the table is busy");
        return Error::Busy;
    }
    // Not the error as a whole: a refused write has the item in it.
    let text = match (error.as_service_error(), error.code()) {
        (Some(_), Some(code)) => format!("{code}: {}", error.message().unwrap_or_default()),
        _ => aws_sdk_dynamodb::error::DisplayErrorContext(error).to_string(),
    };
    Error::Internal(format!("{operation}: {text}"))
}

/// What is wrong with JSON that was read: where, and not what stands there.
#[must_use]
pub fn of_json(error: &serde_json::Error) -> String {
    format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column())
}
