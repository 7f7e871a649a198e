//! Posting frames to connections, through the gateway.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use domain::{Dialect, Timestamp};
use futures_util::{StreamExt as _, stream};
use store::{connection::Connection, retry};
use tokio::time::{Instant, timeout_at};

use super::due::Queues;
use crate::{channelstream::socket_disconnect, context::Context, gateway::PostError, metrics::Metric};

/// Connections that are posted to at once. API Gateway lets 10,000 requests a second through for the whole
/// account; at 10 ms a post this is at most 6,400.
const CONNECTIONS_AT_ONCE: usize = 64;
/// How long a connection that is slow, or throttled, is tried before it is closed. One slow socket must not
/// hold up the shard, and its client can resume.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long all of them together may be tried; afterwards each gets one chance. Well below the function's own
/// timeout of 60 s, so that a batch is not posted again because some did not read.
const BATCH_DEADLINE: Duration = Duration::from_secs(20);
/// Bytes of a post: API Gateway takes 128 KB. It bills each 32 KB begun, and an array is never more of them than its
/// events would be, one by one.
const POST_BYTES: usize = 127_000;
/// The least time for one post, whatever the deadlines say.
const ONE_POST: Duration = Duration::from_millis(500);
/// How long after its `$connect` began a connection may answer 410 because it is not there *yet*, in seconds.
const YOUNG_SECONDS: i64 = 3;

/// What became of posts to many connections.
#[derive(Debug, Default)]
pub struct Posts {
    /// When the last of those that took all of it had it; none if there was nobody. One that is stuck makes nobody else
    /// late.
    pub done: Option<Timestamp>,
    /// The ids of those that were forgotten.
    pub gone: BTreeSet<String>,
}

/// Posts to each connection what it is due, in order, to many at once. A connection that is gone is
/// forgotten; one that is stuck is closed and forgotten, so that its client comes back.
pub async fn post_all(cx: &Context, queues: Queues) -> Posts {
    let batch = Instant::now() + BATCH_DEADLINE;
    let queues = in_arrays(queues);
    let posts = stream::iter(queues).map(|(connection, frames)| async move {
        let deadline = batch.min(Instant::now() + DEADLINE);
        let (taken, posted) = post_until(cx, &connection, frames, deadline).await;
        cx.road.metrics.count(Metric::Posts, taken);
        (connection.id, posted, cx.clock.now())
    });
    let posts = posts.buffer_unordered(CONNECTIONS_AT_ONCE);
    posts
        .fold(Posts::default(), |mut all, (id, posted, now)| {
            match posted {
                Posted::All => all.done = all.done.max(Some(now)),
                Posted::NotYet => {}
                Posted::Forgotten => all.gone.extend([id]),
            }
            std::future::ready(all)
        })
        .await
}

/// Posts to one connection, in order. Says whether all was taken: if not, the connection is no more, or not yet.
pub async fn post_in_order(cx: &Context, connection: &Connection, frames: Vec<Bytes>) -> bool {
    let frames = if connection.arrays { arrays(&frames) } else { frames };
    post_until(cx, connection, frames, Instant::now() + DEADLINE).await.1 == Posted::All
}

/// Puts the frames of those who asked for arrays into arrays. Whoever is due the same gets the same bytes.
fn in_arrays(queues: Queues) -> Queues {
    let mut variants: BTreeMap<Vec<(usize, usize)>, Vec<Bytes>> = BTreeMap::new();
    let mut originals = Vec::new();
    let packed = queues.into_iter().map(|(connection, frames)| {
        if !connection.arrays {
            return (connection, frames);
        }
        // The same frame is the same place in memory, for as long as one of the two is kept.
        let same = frames.iter().map(|frame| (frame.as_ptr().addr(), frame.len())).collect();
        let packed = variants.entry(same).or_insert_with(|| arrays(&frames)).clone();
        originals.push(frames);
        (connection, packed)
    });
    packed.collect()
}

/// The frames as JSON arrays, in as few posts as they fit into.
fn arrays(frames: &[Bytes]) -> Vec<Bytes> {
    let mut posts: Vec<Vec<u8>> = Vec::new();
    for frame in frames {
        match posts.last_mut() {
            Some(post) if post.len() + frame.len() < POST_BYTES => post.push(b','),
            _ => posts.push(vec![b'[']),
        }
        if let Some(post) = posts.last_mut() {
            post.extend_from_slice(frame);
        }
    }
    let closed = posts.into_iter().map(|mut post| {
        post.push(b']');
        Bytes::from(post)
    });
    closed.collect()
}

/// What became of the frames for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posted {
    /// They were taken, or never will be.
    All,
    /// It is not there yet, or was gone at once.
    NotYet,
    /// It is no more, and is forgotten.
    Forgotten,
}

/// How many frames were taken, and what became of them.
async fn post_until(
    cx: &Context,
    connection: &Connection,
    frames: Vec<Bytes>,
    deadline: Instant,
) -> (usize, Posted) {
    let mut taken = 0;
    for frame in frames {
        match post(cx, connection, frame, deadline).await {
            // A frame that will never be taken is left out: closing would bring the client back for it.
            Err(PostError::Refused) => {}
            Ok(()) => taken += 1,
            Err(PostError::Gone) if is_young(cx, connection) => {
                // Its handshake may still be under way; if not, its `$disconnect` or the next post forgets it.
                tracing::warn!(connection = connection.id, "not there yet, or gone at once");
                return (taken, Posted::NotYet);
            }
            Err(PostError::Gone) => {
                tracing::debug!(connection = connection.id, "gone");
                cx.road.metrics.count(Metric::Gone, 1);
                forget(cx, connection).await;
                return (taken, Posted::Forgotten);
            }
            Err(PostError::Throttled | PostError::Later) => {
                park(cx, connection).await;
                return (taken, Posted::Forgotten);
            }
        }
    }
    (taken, Posted::All)
}

/// Closes a connection and forgets it, so that its client comes back and resumes.
pub async fn park(cx: &Context, connection: &Connection) {
    tracing::warn!(connection = connection.id, "parked: its client must come back and resume");
    cx.road.metrics.count(Metric::Parked, 1);
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
        cx.road.pace.turn().await;
        let sent = cx.gateway.post(connection.dialect, &connection.id, frame.clone());
        let answer = timeout_at(deadline.max(Instant::now() + ONE_POST), sent).await;
        let answer = answer.unwrap_or(Err(PostError::Later));
        match answer {
            Err(PostError::Throttled) => cx.road.metrics.count(Metric::Throttled, 1),
            Err(PostError::Later) => cx.road.metrics.count(Metric::Unanswered, 1),
            Ok(()) | Err(PostError::Gone | PostError::Refused) => {}
        }
        match answer {
            Err(PostError::Throttled | PostError::Later) if Instant::now() < deadline => {}
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

/// Removes what is kept of a connection.
pub async fn forget(cx: &Context, connection: &Connection) {
    let forgotten = match connection.dialect {
        // Its subscriptions are those of the listener whose socket it is.
        Dialect::Channelstream => socket_disconnect::closed(cx, &connection.id).await,
        _ => cx.store.forget_connection(connection).await,
    };
    if let Err(error) = forgotten {
        tracing::warn!(connection = connection.id, %error, "a connection is left to its time to live");
    }
}

#[cfg(test)]
mod tests {
    use domain::UserId;

    use super::*;

    fn connection(id: &str, arrays: bool) -> Connection {
        let (id, user) = (id.to_owned(), UserId::trusted("ann"));
        Connection { id, user, dialect: Dialect::Channels, since: Timestamp::default(), arrays }
    }

    #[test]
    fn who_asked_for_arrays_gets_arrays_and_the_same_bytes() {
        let frames: Vec<Bytes> =
            ["1", "{\"a\":2}", "3"].into_iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
        let large =
            vec![Bytes::from("x".repeat(100_000)), Bytes::from("y".repeat(100_000)), frames[0].clone()];
        let queues = Queues::from([
            (connection("a", true), frames.clone()),
            (connection("b", true), frames.clone()),
            (connection("c", false), frames.clone()),
            (connection("d", true), large),
            (connection("e", true), vec![frames[0].clone()]),
        ]);
        let posts: Vec<Vec<Bytes>> = in_arrays(queues).into_values().collect();
        assert_eq!(posts[0], [Bytes::from_static(b"[1,{\"a\":2},3]")]);
        assert_eq!(posts[0][0].as_ptr(), posts[1][0].as_ptr(), "encoded once");
        assert_eq!(posts[2], frames);
        let sizes: Vec<usize> = posts[3].iter().map(Bytes::len).collect();
        assert_eq!(sizes, [100_002, 100_004]);
        assert_eq!(posts[4], [Bytes::from_static(b"[1]")]);
    }
}
