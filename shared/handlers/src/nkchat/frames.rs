//! The events that sessions are told of a batch of changes: each once, if one of its subscriptions lets it
//! through and its user may see the entry.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dialects::nkchat::event::{self, Event};
use domain::{Dialect, Entry, Error, Topic, visibility};
use store::{change::Change, connection::Connection, signal::News, subscription::Wide};

use super::session::{self, Open, Reach};
use crate::{
    context::Context,
    delivery::{
        chunk::{List, Shard},
        due::Queues,
        stage::Stage,
    },
};

/// Queues what the sessions are due of these changes.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn queue(
    cx: &Context,
    stage: &Stage,
    changes: &[&Change],
    queues: &mut Queues,
) -> Result<(), Error> {
    // The members' connections, and those that subscribe: a session may be both.
    let mut connections: BTreeSet<&Connection> = stage.listeners(Dialect::Nkchat).into_iter().collect();
    connections.extend(stage.subscribers(Dialect::Nkchat).map(|one| &one.connection));
    let events: Vec<(&Entry, Event)> = changes
        .iter()
        .filter_map(|change| match change {
            // A log that is no conversation has nothing that this dialect has words for.
            Change::Entry(entry) if matches!(stage.topic, Topic::Conversation(_)) => {
                Some((&**entry, event::of_entry(entry, &stage.id)?))
            }
            // The dialect has no words for these.
            Change::Entry(_)
            | Change::Read { .. }
            | Change::Signal { .. }
            | Change::Opened(_)
            | Change::User(_) => None,
        })
        .collect();
    if connections.is_empty() || events.is_empty() {
        return Ok(());
    }
    let sessions = session::find_all(cx, connections.iter().map(|one| one.id.as_str())).await?;
    for (entry, event) in &events {
        // Whoever is told it in the same words gets the same bytes.
        let mut variants: BTreeMap<(String, String), Bytes> = BTreeMap::new();
        for open in sessions.iter().filter(|open| is_served(stage, open) && sees(stage, open, entry)) {
            let Some(telling) = event::telling(&open.state.subscriptions, event) else { continue };
            let variant =
                (telling.kind.clone(), serde_json::Value::Object(telling.added.clone()).to_string());
            let frame = variants.entry(variant).or_insert_with(|| Bytes::from(event.encode(&telling)));
            queues.entry(open.connection().clone()).or_default().push(frame.clone());
        }
    }
    Ok(())
}

/// Queues what the sessions are due of users who came into being, or are gone. Everybody may know of everybody.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn queue_users(cx: &Context, news: &[&News], queues: &mut Queues) -> Result<(), Error> {
    let subscribers = cx.store.subscribers(&Topic::Global, cx.clock.now()).await?;
    let ours = subscribers.iter().map(|one| &one.connection).filter(|one| one.dialect == Dialect::Nkchat);
    for open in session::find_all(cx, ours.map(|one| one.id.as_str())).await? {
        for one in news {
            let event = match one {
                News::Created(user) => event::of_user(user, true),
                News::Deleted(user) => event::of_user(user, false),
            };
            let Some(telling) = event::telling(&open.state.subscriptions, &event) else { continue };
            let frame = Bytes::from(event.encode(&telling));
            queues.entry(open.connection().clone()).or_default().push(frame);
        }
    }
    Ok(())
}

/// Whether the session is served here. Of a divided audience it may be in several shards, as a member and by what it
/// subscribes to: then in the one of the widest, whether the conversation is open or not. One that was opened must not
/// move a session to another shard, where what comes after could overtake what came before.
fn is_served(stage: &Stage, open: &Open) -> bool {
    let Some(Shard { list, stretch, .. }) = &stage.shard else { return true };
    let reaches = open.state.reaches();
    let widely = matches!(stage.topic, Topic::Conversation(_))
        && [Wide::All, Wide::Open].into_iter().any(|wide| reaches.contains(&Reach::Wide(wide)));
    let by_topic = reaches.contains(&Reach::Topic(stage.topic.clone()));
    match list {
        List::Members => !widely && !by_topic,
        List::Subscribers if widely => stretch.from.is_none(),
        List::Subscribers => by_topic && stretch.contains(&open.connection().id),
    }
}

fn sees(stage: &Stage, open: &Open, entry: &Entry) -> bool {
    let user = &open.connection().user;
    if !visibility::is_told(user, entry) {
        return false;
    }
    if open.state.powerful {
        stage.powerful_subscriber_sees(user, entry)
    } else {
        stage.subscriber_sees(user, entry)
    }
}
