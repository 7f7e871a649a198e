//! The function that the table's stream calls with new entries, read marks and signals.

use std::{collections::BTreeMap, sync::Arc};

use domain::{Error, Number, Seq};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use store::{
    change::{self, Change},
    listener::Socket,
    signal::{Announced, News},
};

use super::{
    deliver::ends,
    division,
    due::{self, Due, Queues},
    farewell, notices, post,
    stage::{Audience, Stage},
};
use crate::{
    channelstream,
    context::Context,
    endpoint::{Action, Endpoint, Handling, Reads, Trigger},
    invocation::{HttpReply, Invocation, Reply, StreamChange, StreamRecord},
    metrics, nkchat,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint {
    name: "fan-out",
    dialect: None,
    trigger: Trigger::Stream(Reads::All),
    access: &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
        Action::PublishChunks,
    ],
    handler: answer,
};

/// Conversations of one batch that are worked on at once.
const CONVERSATIONS_AT_ONCE: usize = 8;

/// Sockets of one batch that are opened at once.
const SOCKETS_AT_ONCE: usize = 32;

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Stream(records) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Batch(deliver(&cx, records).await)
    })
}

/// Who has been, or is to be, told of the changes of one conversation.
enum Told {
    /// These are to be: what they are due, and the stage that was set for it.
    Here(Due, Option<Box<Stage>>),
    /// The shards of a large audience: their chunks are on their way.
    Sent,
}

/// The changes of one conversation, with their records' sequence numbers, in the order of the log.
type Changes = Vec<(String, Change)>;

/// Delivers a batch; the sequence numbers of the records from which on it must be brought again.
async fn deliver(cx: &Context, records: Vec<StreamRecord>) -> Vec<String> {
    let mut failed = Vec::new();
    let Sorted { groups, opened, users } = sort(records, &mut failed);
    let staged = stream::iter(groups)
        .map(|(number, changes)| async move { (tell(cx, number, &changes).await, changes, number) })
        .buffered(CONVERSATIONS_AT_ONCE);
    let staged: Vec<_> = staged.collect().await;
    let mut queues = Queues::new();
    // Who comes is told of before what they do, and who is gone after it.
    let (came, went): (Vec<_>, Vec<_>) =
        users.into_iter().partition(|(_, user)| matches!(user.news, News::Created(_)));
    failed.extend(tell_users(cx, &came, &mut queues).await);
    // One who comes now is told first what it missed.
    failed.extend(open_sockets(cx, opened).await);
    let (mut ended, mut subscriptions, mut posted) = (Vec::new(), Vec::new(), Vec::new());
    let mut stages = Vec::new();
    let mut written = Vec::new();
    for (told, changes, number) in staged {
        match told {
            Ok(Told::Sent) => posted.push(number),
            Ok(Told::Here(due, stage)) => {
                stages.extend(stage);
                if !due.queues.is_empty() {
                    posted.push(number);
                    written.extend(metrics::written(changes.iter().map(|(_, change)| change)));
                }
                for (connection, frames) in due.queues {
                    queues.entry(connection).or_default().extend(frames);
                }
                subscriptions.extend(due.ended);
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
    failed.extend(tell_users(cx, &went, &mut queues).await);
    let post::Posts { done, gone } = post::post_all(cx, queues).await;
    if let Some(now) = done {
        cx.road.metrics.told(written, now);
    }
    failed.extend(farewell::part(cx, &went).await);
    due::end(cx, &subscriptions).await;
    for stage in stages {
        due::forget(cx, &stage, &gone).await;
    }
    for (number, changes) in ended {
        if let Err(error) = sweep(cx, number).await {
            tracing::error!(%number, %error, "a deleted conversation is to be swept again");
            failed.extend(changes.into_iter().map(|(record, _)| record));
        }
    }
    if failed.is_empty() {
        cx.road.linger(&posted).await;
    }
    failed
}

/// Hands out what waits for sockets that were opened; the records that must be brought again.
async fn open_sockets(cx: &Context, opened: Vec<(String, Socket)>) -> Vec<String> {
    let tried = stream::iter(opened).map(|(record, socket)| async move {
        let error = channelstream::catch_up::open(cx, &socket).await.err()?;
        tracing::error!(socket = socket.id, %error, "a socket's catch-up is to be brought again");
        Some(record)
    });
    tried.buffered(SOCKETS_AT_ONCE).filter_map(std::future::ready).collect().await
}

/// A record's sequence number, and the user it tells of.
type UserNews = (String, Announced);

/// Queues what is announced of users; the records that must be brought again.
async fn tell_users(cx: &Context, users: &[UserNews], queues: &mut Queues) -> Vec<String> {
    if users.is_empty() {
        return Vec::new();
    }
    let news: Vec<&News> = users.iter().map(|(_, user)| &user.news).collect();
    match nkchat::frames::queue_users(cx, &news, queues).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            tracing::error!(%error, "users are to be announced again");
            users.iter().map(|(record, _)| record.clone()).collect()
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
                    Change::User(user) => {
                        users.push((record.sequence_number, user.clone()));
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

/// What each connection is due of these changes; or, if they are too many, they are sent on.
async fn tell(cx: &Context, number: Number, changes: &Changes) -> Result<Told, Error> {
    let changes: Vec<&Change> = changes.iter().map(|(_, change)| change).collect();
    for change in &changes {
        if let Change::Entry(entry) = change
            && let Some(id) = cx.store.conversation_of(number).await?
        {
            notices::follow(cx, &id, entry).await?;
        }
    }
    loop {
        match Stage::set(cx, number, &changes).await? {
            Audience::Nobody => return Ok(Told::Here(Due::default(), None)),
            Audience::Here(stage) => {
                let due = due::of(cx, &stage, &changes).await?;
                return Ok(Told::Here(due, Some(stage)));
            }
            Audience::Large(id, division) => {
                if division::tell(cx, &id, number, &changes, division).await? {
                    return Ok(Told::Sent);
                }
                // It has become small, and is set as a whole.
            }
        }
    }
}

/// Removes what is left of a conversation that has ended, after its members were told.
async fn sweep(cx: &Context, number: Number) -> Result<(), Error> {
    match cx.store.conversation_of(number).await? {
        Some(id) => cx.store.sweep(&id, number).await,
        None => Ok(()),
    }
}
