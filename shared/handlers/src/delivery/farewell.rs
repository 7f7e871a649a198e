//! Ends the connections of users who are gone, of every dialect: whoever was removed hears nothing more.
//!
//! It is done where the removal is announced, after it was told: whichever function removed the user, and whatever
//! became of that function. Who connects by the same id later is another user, and stays.

use domain::{Dialect, Error, Topic, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::signal::{Announced, News};

use super::post;
use crate::{channelstream::attendance, context::Context};

/// Connections of one user that are ended at once.
const CONNECTIONS_AT_ONCE: usize = 16;

/// Ends the connections of those who are gone; the records that must be brought again.
pub async fn part(cx: &Context, gone: &[(String, Announced)]) -> Vec<String> {
    let mut failed = Vec::new();
    for (record, announced) in gone {
        if let Err(error) = end_all(cx, announced).await {
            tracing::error!(%error, "the connections of a removed user are to be ended again");
            failed.push(record.clone());
        }
    }
    failed
}

async fn end_all(cx: &Context, announced: &Announced) -> Result<(), Error> {
    let News::Deleted(user) = &announced.news else { return Ok(()) };
    let mut open = cx.store.connections(user, cx.clock.now()).await?;
    open.retain(|connection| connection.since <= announced.at);
    stream::iter(open)
        .for_each_concurrent(CONNECTIONS_AT_ONCE, |connection| async move {
            // Whether the close arrives or not: nothing is posted to it any more.
            cx.gateway.close(connection.dialect, &connection.id).await;
            post::forget(cx, &connection).await;
        })
        .await;
    end_listeners(cx, user, announced).await
}

/// Those of Channelstream are no items of their user, and may be without a socket.
async fn end_listeners(cx: &Context, user: &UserId, announced: &Announced) -> Result<(), Error> {
    let mut listeners = attendance::alive(cx, &Topic::User(user.clone())).await?;
    listeners.retain(|one| one.connection.since <= announced.at);
    let ends = stream::iter(listeners).map(|one| async move {
        attendance::leave(cx, &one.connection.id, user).await?;
        if let Some(socket) = &one.detail {
            cx.gateway.close(Dialect::Channelstream, socket).await;
        }
        Ok(())
    });
    ends.buffer_unordered(CONNECTIONS_AT_ONCE).try_collect().await
}
