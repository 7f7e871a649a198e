//! Posting frames to connections, through API Gateway's Management API.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::Dialect;
use futures_util::{StreamExt as _, stream};
use store::{connection::Connection, retry};

use super::fan_out::Queues;
use crate::{channelstream::socket_disconnect, context::Context, gateway::PostError};

/// Connections that are posted to at once. API Gateway lets 10,000 requests a second through for the whole
/// account; at 10 ms a post this is at most 6,400.
const CONNECTIONS_AT_ONCE: usize = 64;
/// How long a connection that is slow, or throttled, is tried before it is closed. One slow socket must not
/// hold up the shard, and its client can resume.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long a socket may take to open after it was announced, in seconds.
const OPENING_SECONDS: i64 = 2;

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
    let deadline = Instant::now() + DEADLINE;
    for frame in frames {
        match post(cx, connection, frame, deadline).await {
            Ok(()) => {}
            Err(PostError::Gone) => {
                tracing::debug!(connection = connection.id, "gone");
                return forget(cx, connection).await;
            }
            Err(PostError::Later | PostError::Refused) => {
                tracing::warn!(connection = connection.id, "parked: its client must come back and resume");
                // Whether the close arrives or not: nothing is posted to it any more.
                cx.gateway.close(connection.dialect, &connection.id).await;
                return forget(cx, connection).await;
            }
        }
    }
}

/// Posts one frame, again and again until the deadline while the answer is "later".
async fn post(
    cx: &Context,
    connection: &Connection,
    frame: Bytes,
    deadline: Instant,
) -> Result<(), PostError> {
    let mut attempt = 0;
    loop {
        match cx.gateway.post(connection.dialect, &connection.id, frame.clone()).await {
            Err(PostError::Later) if Instant::now() < deadline => {}
            // Nothing can be posted to a socket before its `$connect` has returned.
            Err(PostError::Gone) if Instant::now() < deadline && is_opening(cx, connection).await => {}
            answer => return answer,
        }
        retry::pause(attempt).await.map_err(|_no_randomness| PostError::Later)?;
        attempt += 1;
    }
}

/// Whether the socket was announced so lately that it may not be open yet.
async fn is_opening(cx: &Context, connection: &Connection) -> bool {
    connection.dialect == Dialect::Channelstream
        && cx.store.socket(&connection.id).await.is_ok_and(|socket| {
            socket.is_some_and(|socket| cx.clock.now() < socket.at.plus_seconds(OPENING_SECONDS))
        })
}

async fn forget(cx: &Context, connection: &Connection) {
    let forgotten = match connection.dialect {
        Dialect::Channelstream => socket_disconnect::closed(cx, &connection.id).await,
        _ => cx.store.remove_connection(&connection.id).await,
    };
    if let Err(error) = forgotten {
        tracing::warn!(connection = connection.id, %error, "a connection is left to its time to live");
    }
}
