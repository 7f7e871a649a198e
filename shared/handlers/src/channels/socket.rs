//! A message on this dialect's socket: who sends it, what it says, and how it is answered.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use dialects::channels::{error, event};
use domain::{Dialect, Error, Timestamp};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use store::connection::{Connection, Kept};

use super::frames::POWERFUL;
use crate::{
    auth::Caller,
    context::Context,
    delivery::post,
    endpoint::Handling,
    invocation::{HttpReply, Invocation, Reply, SocketCall, SocketEvent},
    json,
};

/// A message, with the connection it came on.
#[derive(Debug)]
pub struct Command {
    /// The connection.
    pub connection: Connection,
    /// Whose it is.
    pub caller: Caller,
    body: String,
}

impl Command {
    /// What it says.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Error> {
        json::object(self.body.as_bytes())
    }

    /// Posts a frame to the connection that the message came on.
    pub async fn reply<T: Serialize + Sync>(&self, cx: &Context, kind: &str, data: &T) {
        let frame = event::frame(kind, cx.clock.now(), data, None);
        post::post_in_order(cx, &self.connection, vec![Bytes::from(frame)]).await;
    }

    /// Posts an error to the connection that the message came on; of a topic, if it is one's.
    pub async fn refuse(&self, cx: &Context, error: &Error, channel: Option<&str>) {
        if let Error::Internal(text) = error {
            tracing::error!(connection = self.connection.id, text, "internal error");
        }
        let frame = error::frame(error, channel, cx.clock.now());
        post::post_in_order(cx, &self.connection, vec![Bytes::from(frame)]).await;
    }
}

/// Answers a message. An error is posted as a frame, and the socket stays open.
pub fn answer<F, A>(cx: Arc<Context>, invocation: Invocation, handle: F) -> Handling
where
    F: FnOnce(Arc<Context>, Arc<Command>) -> A + Send + 'static,
    A: Future<Output = Result<(), Error>> + Send,
{
    Box::pin(async move {
        let status = match read(&cx, invocation).await {
            Ok(Some(command)) => {
                let command = Arc::new(command);
                if let Err(error) = handle(Arc::clone(&cx), Arc::clone(&command)).await {
                    command.refuse(&cx, &error, None).await;
                }
                StatusCode::OK
            }
            // It has ended meanwhile.
            Ok(None) => StatusCode::OK,
            Err(error) => {
                tracing::error!(%error, "a message cannot be answered");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Reply::Http(HttpReply::empty(status))
    })
}

async fn read(cx: &Context, invocation: Invocation) -> Result<Option<Command>, Error> {
    let Invocation::Socket(SocketCall { connection_id, event: SocketEvent::Message(body), .. }) = invocation
    else {
        return Err(Error::Internal("a socket's endpoint was called by something else".into()));
    };
    let now = cx.clock.now();
    let found = cx.store.kept_connection(&connection_id, now).await?;
    let Some(Kept { connection, detail, owed }) =
        found.filter(|kept| kept.connection.dialect == Dialect::Channels)
    else {
        return Ok(None);
    };
    // Whoever sends a message is there: a 410 means that it is gone, however young it is.
    let connection = Connection { since: Timestamp::default(), ..connection };
    if owed.is_some_and(|until| until <= now) && cx.store.is_abandoned(&connection.id, now).await? {
        // The function that was to tell it something has died: its client has to come back and resume.
        post::park(cx, &connection).await;
        return Ok(None);
    }
    let powerful = detail.as_deref() == Some(POWERFUL);
    let caller = Caller { user: Some(connection.user.clone()), powerful, server: false };
    Ok(Some(Command { connection, caller, body }))
}
