//! Posting frames to connections, through the gateway.

use std::time::Duration;

use bytes::Bytes;
use domain::Dialect;
use futures_util::{StreamExt as _, stream};
use store::{connection::Connection, retry};
use tokio::time::{Instant, timeout_at};

use super::fan_out::Queues;
use crate::{channelstream::socket_disconnect, context::Context, gateway::PostError};

/// Connections that are posted to at once. API Gateway lets 10,000 requests a second through for the whole
/// account; at 10 ms a post this is at most 6,400.
const CONNECTIONS_AT_ONCE: usize = 64;
/// How long a connection that is slow, or throttled, is tried before it is closed. One slow socket must not
/// hold up the shard, and its client can resume.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long all of them together may be tried; afterwards each gets one chance. Well below the function's own
/// timeout of 60 s, so that a batch is not posted again because some did not read.
const BATCH_DEADLINE: Duration = Duration::from_secs(20);
/// The least time for one post, whatever the deadlines say.
const ONE_POST: Duration = Duration::from_millis(500);
/// How long after its `$connect` began a connection may answer 410 because it is not there *yet*, in seconds.
const YOUNG_SECONDS: i64 = 3;

/// Posts to each connection what it is due, in order, to many at once. A connection that is gone is
/// forgotten; one that is stuck is closed and forgotten, so that its client comes back.
pub async fn post_all(cx: &Context, queues: Queues) {
    let batch = Instant::now() + BATCH_DEADLINE;
    stream::iter(queues)
        .for_each_concurrent(CONNECTIONS_AT_ONCE, |(connection, frames)| async move {
            let deadline = batch.min(Instant::now() + DEADLINE);
            post_until(cx, &connection, frames, deadline).await;
        })
        .await;
}

/// Posts to one connection, in order. Says whether all was taken: if not, the connection is no more, or not yet.
pub async fn post_in_order(cx: &Context, connection: &Connection, frames: Vec<Bytes>) -> bool {
    post_until(cx, connection, frames, Instant::now() + DEADLINE).await
}

async fn post_until(cx: &Context, connection: &Connection, frames: Vec<Bytes>, deadline: Instant) -> bool {
    for frame in frames {
        match post(cx, connection, frame, deadline).await {
            // A frame that will never be taken is left out: closing would bring the client back for it.
            Ok(()) | Err(PostError::Refused) => {}
            Err(PostError::Gone) if is_young(cx, connection) => {
                // Its handshake may still be under way; if not, its `$disconnect` or the next post forgets it.
                tracing::warn!(connection = connection.id, "not there yet, or gone at once");
                return false;
            }
            Err(PostError::Gone) => {
                tracing::debug!(connection = connection.id, "gone");
                forget(cx, connection).await;
                return false;
            }
            Err(PostError::Later) => {
                park(cx, connection).await;
                return false;
            }
        }
    }
    true
}

/// Closes a connection and forgets it, so that its client comes back and resumes.
pub async fn park(cx: &Context, connection: &Connection) {
    tracing::warn!(connection = connection.id, "parked: its client must come back and resume");
    // Whether the close arrives or not: nothing is posted to it any more.
    cx.gateway.close(connection.dialect, &connection.id).await;
    forget(cx, connection).await;
}

/// Posts one frame, again and again until the deadline while the answer is "later", or "gone" from a
/// connection that may be just coming.
async fn post(
    cx: &Context,
    connection: &Connection,
    frame: Bytes,
    deadline: Instant,
) -> Result<(), PostError> {
    let mut attempt = 0;
    loop {
        let sent = cx.gateway.post(connection.dialect, &connection.id, frame.clone());
        let answer = timeout_at(deadline.max(Instant::now() + ONE_POST), sent).await;
        match answer.unwrap_or(Err(PostError::Later)) {
            Err(PostError::Later) if Instant::now() < deadline => {}
            Err(PostError::Gone) if is_young(cx, connection) && Instant::now() < deadline => {}
            answer => return answer,
        }
        retry::pause(attempt).await;
        attempt += 1;
    }
}

fn is_young(cx: &Context, connection: &Connection) -> bool {
    cx.gateway.may_be_early() && cx.clock.now() < connection.since.plus_seconds(YOUNG_SECONDS)
}

async fn forget(cx: &Context, connection: &Connection) {
    let forgotten = match connection.dialect {
        // Its subscriptions are those of the listener whose socket it is.
        Dialect::Channelstream => socket_disconnect::closed(cx, &connection.id).await,
        _ => cx.store.forget_connection(connection).await,
    };
    if let Err(error) = forgotten {
        tracing::warn!(connection = connection.id, %error, "a connection is left to its time to live");
    }
}
