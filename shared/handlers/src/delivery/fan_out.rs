//! The function that the table's stream calls with new entries and read marks.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use domain::{Dialect, Error, Event, Number, Seq, Topic};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use store::{
    change::{self, Change},
    connection::Connection,
    listener::Socket,
    signal::News,
    subscription::Subscription,
};

use super::{notices, post, stage::Stage};
use crate::{
    channels, channelstream,
    context::Context,
    endpoint::{Action, Endpoint, Handling, Trigger},
    events,
    invocation::{HttpReply, Invocation, Reply, StreamChange, StreamRecord},
    nkchat,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint {
    name: "fan-out",
    dialect: None,
    trigger: Trigger::Stream,
    access: &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    handler: answer,
};

/// Conversations of one batch that are worked on at once.
const CONVERSATIONS_AT_ONCE: usize = 8;

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Stream(records) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Batch(deliver(&cx, records).await)
    })
}

/// What connections are due, in order.
pub type Queues = BTreeMap<Connection, Vec<Bytes>>;

/// What is to be done about a batch of one conversation.
#[derive(Debug, Default)]
pub struct Due {
    /// To be posted.
    pub queues: Queues,
    /// To be ended when that has been posted: subscriptions of those who may hear no more.
    pub ended: Vec<(Topic, Subscription)>,
}

/// The changes of one conversation, with their records' sequence numbers, in the order of the log.
type Changes = Vec<(String, Change)>;

/// Delivers a batch; the sequence numbers of the records from which on it must be brought again.
async fn deliver(cx: &Context, records: Vec<StreamRecord>) -> Vec<String> {
    let mut failed = Vec::new();
    let Sorted { groups, opened, users } = sort(records, &mut failed);
    let staged = stream::iter(groups)
        .map(|(number, changes)| async move { (frames(cx, number, &changes).await, changes, number) })
        .buffered(CONVERSATIONS_AT_ONCE);
    let staged: Vec<_> = staged.collect().await;
    let mut queues = Queues::new();
    // Who comes is told of before what they do, and who is gone after it.
    let (came, went): (Vec<_>, Vec<_>) =
        users.into_iter().partition(|(_, news)| matches!(news, News::Created(_)));
    failed.extend(tell_users(cx, came, &mut queues).await);
    // What was missed comes before what happens now.
    for (record, socket) in opened {
        match channelstream::frames::opened(cx, &socket).await {
            Ok((connection, frames)) => queues.entry(connection).or_default().extend(frames),
            Err(error) => {
                tracing::error!(socket = socket.id, %error, "a socket's catch-up is to be brought again");
                failed.push(record);
            }
        }
    }
    let mut ended = Vec::new();
    let mut subscriptions = Vec::new();
    for (due, changes, number) in staged {
        match due {
            Ok(due) => {
                for (connection, frames) in due.queues {
                    queues.entry(connection).or_default().extend(frames);
                }
                subscriptions.extend(due.ended);
                let ends = |change: &Change| matches!(change, Change::Entry(entry) if matches!(entry.event, Event::ConversationDeleted));
                if changes.iter().any(|(_, change)| ends(change)) {
                    ended.push((number, changes));
                }
            }
            Err(error) => {
                tracing::error!(%number, %error, "a batch is to be brought again");
                failed.extend(changes.into_iter().map(|(record, _)| record));
            }
        }
    }
    failed.extend(tell_users(cx, went, &mut queues).await);
    post::post_all(cx, queues).await;
    for (topic, subscription) in &subscriptions {
        if let Err(error) = cx.store.end_subscription(topic, subscription).await {
            // It hears nothing any more: what may be seen is asked for every entry.
            tracing::warn!(connection = subscription.connection.id, %error, "a subscription is left standing");
        }
    }
    for (number, changes) in ended {
        if let Err(error) = sweep(cx, number).await {
            tracing::error!(%number, %error, "a deleted conversation is to be swept again");
            failed.extend(changes.into_iter().map(|(record, _)| record));
        }
    }
    failed
}

/// A record's sequence number, and the user it tells of.
type UserNews = (String, News);

/// Queues what is announced of users; the records that must be brought again.
async fn tell_users(cx: &Context, users: Vec<UserNews>, queues: &mut Queues) -> Vec<String> {
    if users.is_empty() {
        return Vec::new();
    }
    let (records, news): (Vec<String>, Vec<News>) = users.into_iter().unzip();
    match nkchat::frames::queue_users(cx, &news, queues).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::error!(%error, "users are to be announced again");
            records
        }
    }
}

/// A batch, by what it tells of.
#[derive(Default)]
struct Sorted {
    /// Conversations.
    groups: BTreeMap<Number, Changes>,
    /// Sockets that were opened, with their records' sequence numbers.
    opened: Vec<(String, Socket)>,
    /// Users who came or went.
    users: Vec<UserNews>,
}

fn sort(records: Vec<StreamRecord>, failed: &mut Vec<String>) -> Sorted {
    let Sorted { mut groups, mut opened, mut users } = Sorted::default();
    let mut unreadable: Vec<Number> = Vec::new();
    for record in records {
        if record.change == StreamChange::Remove {
            continue;
        }
        let Some(image) = &record.new_image else { continue };
        match change::of(image, record.old_image.as_ref()) {
            Ok(None) => {}
            Ok(Some(change)) => {
                let number = match &change {
                    Change::Entry(entry) => entry.place.number,
                    Change::Read { number, .. } | Change::Signal { number, .. } => *number,
                    Change::Opened(socket) => {
                        opened.push((record.sequence_number, socket.clone()));
                        continue;
                    }
                    Change::User(news) => {
                        users.push((record.sequence_number, news.clone()));
                        continue;
                    }
                };
                groups.entry(number).or_default().push((record.sequence_number, change));
            }
            Err(error) => {
                tracing::error!(record = record.sequence_number, %error, "a record cannot be read");
                unreadable.extend(store::keys::place(&record.keys).map(|place| place.number));
                failed.push(record.sequence_number);
            }
        }
    }
    // What comes after it in the same log must not overtake it.
    for number in unreadable {
        let changes = groups.remove(&number).unwrap_or_default();
        failed.extend(changes.into_iter().map(|(record, _)| record));
    }
    for changes in groups.values_mut() {
        // The stream promises an order per item only. Read marks come after what was read.
        changes.sort_by_key(|(_, change)| match change {
            Change::Entry(entry) => (entry.seq(), false),
            Change::Read { mark, .. } => (mark.seq, true),
            Change::Signal { .. } | Change::Opened(_) | Change::User(_) => (Seq(u64::MAX), true),
        });
    }
    Sorted { groups, opened, users }
}

/// What each connection is due of these changes.
async fn frames(cx: &Context, number: Number, changes: &Changes) -> Result<Due, Error> {
    let changes: Vec<&Change> = changes.iter().map(|(_, change)| change).collect();
    for change in &changes {
        if let Change::Entry(entry) = change
            && let Some(id) = cx.store.conversation_of(number).await?
        {
            notices::follow(cx, &id, entry).await?;
        }
    }
    let Some(stage) = Stage::set(cx, number, &changes).await? else { return Ok(Due::default()) };
    let mut due = channels::frames::frames(cx, &stage, &changes).await?;
    let events = stage.listeners(Dialect::Events);
    if !events.is_empty() {
        let by_user = events::frames::frames(cx, &stage, &changes).await?;
        for connection in events {
            if let Some(frames) = by_user.get(&connection.user) {
                due.queues.entry(connection.clone()).or_default().extend(frames.iter().cloned());
            }
        }
    }
    for (connection, frames) in channelstream::frames::frames(cx, &stage, &changes).await? {
        due.queues.entry(connection).or_default().extend(frames);
    }
    nkchat::frames::queue(cx, &stage, &changes, &mut due.queues).await?;
    Ok(due)
}

/// Removes what is left of a conversation that has ended, after its members were told.
async fn sweep(cx: &Context, number: Number) -> Result<(), Error> {
    match cx.store.conversation_of(number).await? {
        Some(id) => cx.store.sweep_members(&id, number).await,
        None => Ok(()),
    }
}
