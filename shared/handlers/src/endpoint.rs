//! What an endpoint is: a name, the trigger that calls it, the AWS actions it may use, and its handler.
//!
//! An endpoint is one Lambda function. Its name is also that of its binary (`functions/src/bin/<name>.rs`), of
//! its sample (`events/<name>.json`) and of its `Metadata.BuildProperties.Binary` in `template.yaml`; a test
//! holds the four against one another.

use std::{future::Future, pin::Pin, sync::Arc};

use domain::{Dialect, Error};
use http::Method;

use crate::{
    context::Context,
    invocation::{HttpCall, HttpReply, Invocation, Reply, SocketCall},
};

/// The future of a handler.
pub type Handling = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Answers a call of the HTTP API. What cannot be done is refused in the dialect's words; what it must not tell is in
/// the log.
pub fn answer_http<F, A>(invocation: Invocation, refuse: fn(&Error) -> HttpReply, answer: F) -> Handling
where
    F: FnOnce(HttpCall) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    Box::pin(async move {
        let answered = match invocation {
            Invocation::Http(call) => answer(call).await,
            _ => Err(Error::Internal("an HTTP endpoint was called by something else".into())),
        };
        or_refused(answered, refuse)
    })
}

/// Answers a `$connect`, in the same way.
pub fn answer_connect<F, A>(invocation: Invocation, refuse: fn(&Error) -> HttpReply, answer: F) -> Handling
where
    F: FnOnce(SocketCall) -> A + Send + 'static,
    A: Future<Output = Result<HttpReply, Error>> + Send,
{
    Box::pin(async move {
        let answered = match invocation {
            Invocation::Socket(call) => answer(call).await,
            _ => Err(Error::Internal("$connect was called by something else".into())),
        };
        or_refused(answered, refuse)
    })
}

fn or_refused(answered: Result<HttpReply, Error>, refuse: fn(&Error) -> HttpReply) -> Reply {
    Reply::Http(answered.unwrap_or_else(|error| {
        if let Error::Internal(text) = &error {
            tracing::error!(text, "internal error");
        }
        refuse(&error)
    }))
}

/// One Lambda function.
#[derive(Debug)]
pub struct Endpoint {
    /// `<dialect>-<what it does>`, in kebab case.
    pub name: &'static str,
    /// The dialect it speaks; none for the fan-out, which speaks all of them.
    pub dialect: Option<Dialect>,
    /// What calls it.
    pub trigger: Trigger,
    /// Exactly what it may do in AWS: its policy in the template is this and nothing else.
    pub access: &'static [Action],
    /// The handler.
    pub handler: fn(Arc<Context>, Invocation) -> Handling,
}

impl Endpoint {
    /// A function that a route of the HTTP API calls.
    #[must_use]
    pub const fn http(
        name: &'static str,
        dialect: Dialect,
        method: Method,
        path: &'static str,
        access: &'static [Action],
        handler: fn(Arc<Context>, Invocation) -> Handling,
    ) -> Self {
        Self { name, dialect: Some(dialect), trigger: Trigger::Http { method, path }, access, handler }
    }

    /// A function that a route of the dialect's WebSocket API calls.
    #[must_use]
    pub const fn socket(
        name: &'static str,
        dialect: Dialect,
        route_key: &'static str,
        access: &'static [Action],
        handler: fn(Arc<Context>, Invocation) -> Handling,
    ) -> Self {
        Self { name, dialect: Some(dialect), trigger: Trigger::Socket { route_key }, access, handler }
    }
}

/// What calls a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A route of the HTTP API.
    Http {
        /// The method.
        method: Method,
        /// The path with its `{parameters}`.
        path: &'static str,
    },
    /// The HTTP API's `$default` route: what no other route takes.
    Unrouted,
    /// A route of the dialect's WebSocket API.
    Socket {
        /// `$connect`, `$disconnect`, `$default`, or a value of the route selection expression.
        route_key: &'static str,
    },
    /// The table's stream.
    Stream(Reads),
    /// The queue of chunks.
    Queue,
}

/// What of the stream a function reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Everything that connections are told of: entries, read marks, signals.
    All,
    /// Entries of logs.
    Entries,
}

/// An action of AWS that a function needs, as IAM spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// `dynamodb:BatchGetItem`
    BatchGetItem,
    /// `dynamodb:BatchWriteItem`
    BatchWriteItem,
    /// `dynamodb:ConditionCheckItem`, in transactions
    ConditionCheckItem,
    /// `dynamodb:DeleteItem`, alone or in a transaction
    DeleteItem,
    /// `dynamodb:GetItem`
    GetItem,
    /// `dynamodb:PutItem`, alone or in a transaction
    PutItem,
    /// `dynamodb:Query`
    Query,
    /// `dynamodb:UpdateItem`, alone or in a transaction
    UpdateItem,
    /// `execute-api:ManageConnections`
    ManageConnections,
    /// `s3:DeleteObject`, of attachments
    DeleteObject,
    /// `s3:GetObject`, of attachments
    GetObject,
    /// `s3:PutObject`, of attachments
    PutObject,
    /// `sns:Publish`, to the topic of chunks
    PublishChunks,
    /// `sns:Publish`, to the owner's topic
    PublishEvents,
}

impl Action {
    /// The action as IAM spells it.
    #[must_use]
    pub const fn iam(self) -> &'static str {
        match self {
            Self::BatchGetItem => "dynamodb:BatchGetItem",
            Self::BatchWriteItem => "dynamodb:BatchWriteItem",
            Self::ConditionCheckItem => "dynamodb:ConditionCheckItem",
            Self::DeleteItem => "dynamodb:DeleteItem",
            Self::GetItem => "dynamodb:GetItem",
            Self::PutItem => "dynamodb:PutItem",
            Self::Query => "dynamodb:Query",
            Self::UpdateItem => "dynamodb:UpdateItem",
            Self::ManageConnections => "execute-api:ManageConnections",
            Self::DeleteObject => "s3:DeleteObject",
            Self::GetObject => "s3:GetObject",
            Self::PutObject => "s3:PutObject",
            Self::PublishChunks | Self::PublishEvents => "sns:Publish",
        }
    }
}
