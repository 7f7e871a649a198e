//! What connections are due of a batch of changes of one conversation, in the words of each dialect.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use domain::{Dialect, Error};
use store::{change::Change, connection::Connection, subscription::Subscription};

use super::stage::Stage;
use crate::{channels, channelstream, context::Context, events, nkchat};

/// What connections are due, in order.
pub type Queues = BTreeMap<Connection, Vec<Bytes>>;

/// What is to be done about a batch of one conversation.
#[derive(Debug, Default)]
pub struct Due {
    /// To be posted.
    pub queues: Queues,
    /// To be ended when that has been posted: subscriptions of those who may hear no more.
    pub ended: Vec<Subscription>,
}

/// What each connection of the stage is due of these changes, which are in the order of the log.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn of(cx: &Context, stage: &Stage, changes: &[&Change]) -> Result<Due, Error> {
    let mut due = channels::frames::frames(cx, stage, changes).await?;
    let events = stage.listeners(Dialect::Events);
    if !events.is_empty() {
        let by_user = events::frames::frames(cx, stage, changes).await?;
        for connection in events {
            if let Some(frames) = by_user.get(&connection.user) {
                due.queues.entry(connection.clone()).or_default().extend(frames.iter().cloned());
            }
        }
    }
    for (connection, frames) in channelstream::frames::frames(cx, stage, changes).await? {
        due.queues.entry(connection).or_default().extend(frames);
    }
    nkchat::frames::queue(cx, stage, changes, &mut due.queues).await?;
    Ok(due)
}

/// Ends the subscriptions of those who may hear no more.
pub async fn end(cx: &Context, ended: &[Subscription]) {
    for subscription in ended {
        if let Err(error) = cx.store.end_subscription(subscription).await {
            // It hears nothing any more: what may be seen is asked for every entry.
            tracing::warn!(connection = subscription.connection.id, %error, "a subscription is left standing");
        }
    }
}

/// Removes what is found of connections that are gone: one that ended while it subscribed may have left a subscription
/// that its connection does not know of.
pub async fn forget(cx: &Context, stage: &Stage, gone: &BTreeSet<String>) {
    for subscription in stage.of_connections(gone) {
        if let Err(error) = cx.store.remove_subscription(subscription).await {
            tracing::warn!(connection = subscription.connection.id, %error, "a subscription is left standing");
        }
    }
}
