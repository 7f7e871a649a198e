//! Calls a handler as Lambda would: on its own, within a time, and whatever it does, the host lives on.

use std::{sync::Arc, time::Duration};

use handlers::{
    call::call,
    context::Context,
    endpoint::Endpoint,
    invocation::{Invocation, Reply},
};

use crate::lambda::Functions;

tokio::task_local! {
    /// The endpoint whose handler runs; the DynamoDB connector tells it to the observer.
    pub(crate) static ENDPOINT: &'static str;
}

/// Why a call has no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The handler panicked.
    #[error("the handler panicked")]
    Panicked,
    /// The function failed: it said so, it ended, or it could not be started.
    #[error("the function failed")]
    Failed,
    /// The handler took too long, and was stopped.
    #[error("the handler took too long")]
    TimedOut,
}

/// Who calls the functions.
#[derive(Debug, Clone)]
pub enum Invoker {
    /// This process, which has all handlers in it.
    InProcess(Arc<Context>),
    /// Processes of their own: the binaries that Lambda runs.
    Lambda(Arc<Functions>),
}

impl Invoker {
    /// Calls the endpoint's function.
    ///
    /// # Errors
    /// When it has no reply within `limit`.
    pub async fn invoke(
        &self,
        endpoint: &'static Endpoint,
        invocation: Invocation,
        limit: Duration,
    ) -> Result<Reply, InvokeError> {
        match self {
            Self::InProcess(context) => invoke(endpoint, context, invocation, limit).await,
            Self::Lambda(functions) => functions.invoke(endpoint, invocation, limit).await,
        }
    }
}

/// Calls the endpoint's handler in a task of its own: a caller that goes away does not cut it off halfway.
///
/// # Errors
/// When the handler panicked or took longer than `limit`.
pub async fn invoke(
    endpoint: &'static Endpoint,
    context: &Arc<Context>,
    invocation: Invocation,
    limit: Duration,
) -> Result<Reply, InvokeError> {
    let context = Arc::clone(context);
    let handling = async move { call(endpoint, context, invocation, &request_id()).await };
    let started = tokio::time::Instant::now();
    let mut task = tokio::spawn(ENDPOINT.scope(endpoint.name, handling));
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(reply)) => {
            tracing::debug!(endpoint = endpoint.name, took = ?started.elapsed(), "invoked");
            Ok(reply)
        }
        Ok(Err(_)) => {
            tracing::error!(endpoint = endpoint.name, "the handler panicked");
            Err(InvokeError::Panicked)
        }
        Err(_) => {
            task.abort();
            tracing::error!(endpoint = endpoint.name, seconds = limit.as_secs(), "the handler took too long");
            Err(InvokeError::TimedOut)
        }
    }
}

/// Names a request in logs; the form is free, as in AWS.
#[must_use]
pub fn request_id() -> String {
    random_text(12)
}

/// Text of as many random bytes, in base64's URL alphabet.
pub(crate) fn random_text(bytes: usize) -> String {
    use base64::Engine;
    let mut random = vec![0; bytes];
    // Without randomness nothing here is safe; the id would be guessable.
    if let Err(error) = getrandom::fill(&mut random) {
        tracing::error!(%error, "the machine has no randomness");
        std::process::abort();
    }
    base64::engine::general_purpose::URL_SAFE.encode(random)
}
