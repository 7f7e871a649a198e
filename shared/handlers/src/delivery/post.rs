//! Posting frames to connections, through API Gateway's Management API.

use std::time::{Duration, Instant};

use aws_sdk_apigatewaymanagement::{
    Client, error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use store::{connection::Connection, retry};

use super::fan_out::Queues;
use crate::context::Context;

/// Connections that are posted to at once. API Gateway lets 10,000 requests a second through for the whole
/// account; at 10 ms a post this is at most 6,400.
const CONNECTIONS_AT_ONCE: usize = 64;
/// How long a connection that is slow, or throttled, is tried before it is closed. One slow socket must not
/// hold up the shard, and its client can resume.
const DEADLINE: Duration = Duration::from_secs(5);

/// What became of a post.
enum Posted {
    Sent,
    /// The connection has ended (410).
    Gone,
    /// It did not take the frame within the deadline, or never will.
    Stuck,
}

/// Posts to each connection what it is due, in order, to many at once. A connection that is gone is
/// forgotten; one that is stuck is closed and forgotten, so that its client comes back.
pub async fn post_all(cx: &Context, queues: Queues) {
    stream::iter(queues)
        .for_each_concurrent(CONNECTIONS_AT_ONCE, |(connection, frames)| async move {
            post_queue(cx, &connection, frames).await;
        })
        .await;
}

async fn post_queue(cx: &Context, connection: &Connection, frames: Vec<Bytes>) {
    let Some(client) = cx.gateway.client(connection.dialect) else {
        tracing::error!(dialect = connection.dialect.name(), "no gateway for this dialect: frames are lost");
        return;
    };
    let deadline = Instant::now() + DEADLINE;
    for frame in frames {
        match post(client, connection, frame, deadline).await {
            Posted::Sent => {}
            Posted::Gone => {
                tracing::debug!(connection = connection.id, "gone");
                return forget(cx, connection).await;
            }
            Posted::Stuck => {
                tracing::warn!(connection = connection.id, "parked: its client must come back and resume");
                // Whether the close arrives or not: nothing is posted to it any more.
                let closed = client.delete_connection().connection_id(&connection.id).send().await;
                if let Err(error) = closed {
                    tracing::debug!(connection = connection.id, ?error, "not closed");
                }
                return forget(cx, connection).await;
            }
        }
    }
}

async fn post(client: &Client, connection: &Connection, frame: Bytes, deadline: Instant) -> Posted {
    for attempt in 0.. {
        let post = client.post_to_connection().connection_id(&connection.id).data(Blob::new(&*frame));
        let Err(error) = post.send().await else { return Posted::Sent };
        match status(&error) {
            Some(410) => return Posted::Gone,
            // Too large, malformed, or not ours: it will not get better.
            Some(400..=428 | 430..=499) => {
                tracing::error!(connection = connection.id, ?error, "a frame was refused");
                return Posted::Stuck;
            }
            // 429 (throttled, or the client's buffer is full), 5xx, or no answer at all.
            _ => {}
        }
        if Instant::now() >= deadline || retry::pause(attempt).await.is_err() {
            return Posted::Stuck;
        }
    }
    Posted::Stuck
}

fn status(error: &SdkError<PostToConnectionError>) -> Option<u16> {
    if error.as_service_error().is_some_and(PostToConnectionError::is_gone_exception) {
        return Some(410);
    }
    error.raw_response().map(|response| response.status().as_u16())
}

async fn forget(cx: &Context, connection: &Connection) {
    if let Err(error) = cx.store.remove_connection(&connection.id).await {
        tracing::warn!(connection = connection.id, %error, "a connection is left to its time to live");
    }
}
