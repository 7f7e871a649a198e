//! One call of a function, and what every line that it logs says of it: whose call, which function, which
//! connection, which conversation. Never what is said in it, nor who may do what.

use std::sync::Arc;

use domain::{ConversationId, Dialect};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    context::Context,
    endpoint::{Endpoint, Handling},
    invocation::{Invocation, Reply},
};

/// The span's field for the conversation.
const CONVERSATION: &str = "conversation";

/// Calls the endpoint's handler. `request_id` is the host's own name for the call; API Gateway's, which a client
/// sees, is beside it.
#[must_use]
pub fn call(endpoint: &Endpoint, cx: Arc<Context>, invocation: Invocation, request_id: &str) -> Handling {
    // Of the highest level, so that it is there whichever lines are wanted.
    let span = tracing::error_span!(
        "call",
        requestId = request_id,
        function = endpoint.name,
        dialect = endpoint.dialect.map(Dialect::name),
        apiRequestId = Empty,
        connection = Empty,
        conversation = Empty,
    );
    match &invocation {
        Invocation::Http(call) => {
            span.record("apiRequestId", call.request_id.as_str());
        }
        Invocation::Socket(call) => {
            span.record("apiRequestId", call.request_id.as_str());
            span.record("connection", call.connection_id.as_str());
        }
        Invocation::Stream(_) | Invocation::Queue(_) => {}
    }
    // What a handler does before its first pause is the call's as well.
    let handling = span.in_scope(|| (endpoint.handler)(cx, invocation));
    let answering = async move {
        let reply = handling.await;
        match &reply {
            Reply::Http(reply) => tracing::debug!(status = reply.status.as_u16(), "answered"),
            Reply::Batch(failed) => tracing::debug!(failed = failed.len(), "answered"),
        }
        reply
    };
    Box::pin(answering.instrument(span))
}

/// Says which conversation the call that is under way is about.
pub fn is_about(id: &ConversationId) {
    Span::current().record(CONVERSATION, id.as_str());
}
