//! Lambda's JSON ⇄ the handlers' `Invocation` and `Reply`.
//!
//! Which shape an event has follows from the endpoint's trigger, not from looking at it: API Gateway's HTTP API
//! with payload format 2.0, a WebSocket API's proxy event, a batch of a DynamoDB stream, or one of an SQS queue.
//! Nothing here knows what a call means.

use handlers::{
    endpoint::Trigger,
    invocation::{Invocation, Reply},
};
use lambda_runtime::Diagnostic;
use serde::Serialize;

mod http;
mod queue;
mod socket;
mod stream;

/// Why a call cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The event is not one of the endpoint's trigger.
    #[error("malformed event: {0}")]
    Malformed(String),
    /// The handler answered a call of another kind.
    #[error("the handler's reply does not fit its trigger")]
    Mismatched,
}

impl EventError {
    fn malformed(reason: impl Into<lambda_runtime::Error>) -> Self {
        Self::Malformed(reason.into().to_string())
    }
}

impl From<serde_json::Error> for EventError {
    fn from(error: serde_json::Error) -> Self {
        Self::malformed(error)
    }
}

/// What Lambda shows of an error, and counts.
impl From<EventError> for Diagnostic {
    fn from(error: EventError) -> Self {
        let error_type = match error {
            EventError::Malformed(_) => "MalformedEvent",
            EventError::Mismatched => "MismatchedReply",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

/// What Lambda is answered, ready to be written as JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Response(Shape);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Shape {
    Http(http::Response),
    Socket(socket::Response),
    Stream(stream::Response),
}

/// Reads an event that called an endpoint with this trigger.
///
/// # Errors
/// [`EventError::Malformed`] if the event is not what such a trigger sends.
pub fn invocation(trigger: &Trigger, event: &str) -> Result<Invocation, EventError> {
    match trigger {
        Trigger::Http { .. } | Trigger::Unrouted => http::call(event).map(Invocation::Http),
        Trigger::Socket { .. } => socket::call(event).map(Invocation::Socket),
        Trigger::Stream(_) => stream::records(event).map(Invocation::Stream),
        Trigger::Queue => queue::messages(event).map(Invocation::Queue),
    }
}

/// Puts a reply into the words of the trigger that called.
///
/// # Errors
/// [`EventError::Mismatched`] if the handler answered a call of another kind.
pub fn response(trigger: &Trigger, reply: Reply) -> Result<Response, EventError> {
    match (trigger, reply) {
        (Trigger::Http { .. } | Trigger::Unrouted, Reply::Http(reply)) => {
            Ok(Response(Shape::Http(reply.into())))
        }
        (Trigger::Socket { .. }, Reply::Http(reply)) => Ok(Response(Shape::Socket(reply.into()))),
        (Trigger::Stream(_) | Trigger::Queue, Reply::Batch(failed)) => {
            Ok(Response(Shape::Stream(failed.into())))
        }
        _ => Err(EventError::Mismatched),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_event_is_an_error_and_never_a_panic() {
        let triggers = [
            Trigger::Http { method: ::http::Method::GET, path: "/" },
            Trigger::Socket { route_key: "$default" },
            Trigger::Stream(handlers::endpoint::Reads::All),
            Trigger::Queue,
        ];
        let events = [
            "null",
            "[]",
            "{}",
            "\"\"",
            r#"{"requestContext":{}}"#,
            r#"{"requestContext":{"http":{"method":"NO GOOD"}}}"#,
            r#"{"requestContext":{"eventType":"MESSAGE","connectedAt":1,"requestTimeEpoch":1}}"#,
            r#"{"Records":[{}]}"#,
        ];
        for trigger in &triggers {
            for event in events {
                let error = invocation(trigger, event).unwrap_err();
                assert_eq!(Diagnostic::from(error).error_type, "MalformedEvent", "{trigger:?} {event}");
            }
        }
    }

    #[test]
    fn a_reply_of_another_kind_is_an_error() {
        assert!(matches!(
            response(&Trigger::Socket { route_key: "$connect" }, Reply::Batch(Vec::new())),
            Err(EventError::Mismatched)
        ));
    }
}
