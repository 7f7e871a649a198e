//! What the connections that subscribe are told of a batch of changes; and what an entry is called here, for the
//! live frame and for the one that is sent again.

use bytes::Bytes;
use dialects::channels::{
    event::{self, Event as Wire, Moderation, Person, Position, Reply, Said},
    message,
};
use domain::{
    ConversationId, Dialect, Entry, Error, Event, Message, Openness, Seq, Timestamp, Topic, UserId,
    Visibility,
    entry::{Departure, Notice},
    visibility::{self, Reader},
};
use store::{change::Change, hold::Flow, signal::Signal, subscription::Subscription};

use crate::{
    context::Context,
    delivery::{due::Due, originals::Originals, post, stage::Stage},
};

/// The detail of a subscription whose user may do everything.
pub const POWERFUL: &str = "powerful";

/// What is due to those who subscribe, of these changes of one log.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn frames(cx: &Context, stage: &Stage, changes: &[&Change]) -> Result<Due, Error> {
    let mut due = Due::default();
    let last = changes.iter().filter_map(|change| match change {
        Change::Entry(entry) => Some(entry.seq()),
        Change::Read { .. } | Change::Signal { .. } | Change::Opened(_) | Change::User(_) => None,
    });
    let last = last.max();
    let mut hearers = Vec::new();
    for subscription in stage.subscribers(Dialect::Channels) {
        if let Some(after) = due_after(cx, stage, subscription, last).await? {
            hearers.push((subscription, after));
        }
    }
    if hearers.is_empty() {
        return Ok(due);
    }
    for change in changes {
        match change {
            Change::Entry(entry) => {
                let epoch = stage.last.as_ref().map(|one| one.epoch.as_str());
                let frames = encode(cx, epoch, &stage.id, entry, &stage.originals).await?;
                for (subscription, after) in &hearers {
                    if entry.seq() > *after && hears(stage, subscription, entry) {
                        let queue = due.queues.entry(subscription.connection.clone()).or_default();
                        queue.extend(frames.iter().cloned());
                    }
                }
                let ending = hearers.iter().filter(|(subscription, after)| {
                    entry.seq() > *after && ends(stage, &subscription.connection.user, entry)
                });
                due.ended.extend(ending.map(|(subscription, _)| (*subscription).clone()));
            }
            Change::Signal { signal, .. } => {
                let Some(frame) = typing(cx, &stage.id, signal).await? else { continue };
                for (subscription, _) in &hearers {
                    if reads(stage, subscription, cx.clock.now()) {
                        due.queues.entry(subscription.connection.clone()).or_default().push(frame.clone());
                    }
                }
            }
            // The dialect has no word for how far somebody has read.
            Change::Read { .. } | Change::Opened(_) | Change::User(_) => {}
        }
    }
    Ok(due)
}

/// After which entry the subscription is due something; none if it is due nothing of this batch, whose last
/// entry is `last`.
async fn due_after(
    cx: &Context,
    stage: &Stage,
    subscription: &Subscription,
    last: Option<Seq>,
) -> Result<Option<Seq>, Error> {
    let connection = &subscription.connection;
    let mut flow = subscription.flow;
    loop {
        let hold = match flow {
            Flow::All => return Ok(Some(Seq(0))),
            Flow::After(place) => return Ok((place.number == stage.number).then_some(place.seq)),
            Flow::Held(hold) => hold,
        };
        let Some(last) = last.filter(|_| hold.number == stage.number) else { return Ok(None) };
        if hold.until <= cx.clock.now() {
            // Whoever was sending what was missed has died: its client has to begin again.
            post::park(cx, connection).await;
            return Ok(None);
        }
        match cx.store.leave_to_holder(&stage.topic, &connection.id, hold, last).await? {
            Some(Flow::Held(same)) if same.id == hold.id => return Ok(None),
            Some(other) => flow = other,
            None => return Ok(None),
        }
    }
}

fn is_powerful(subscription: &Subscription) -> bool {
    subscription.detail.as_deref() == Some(POWERFUL)
}

/// Whether the subscription's user may see the entry, live.
fn hears(stage: &Stage, subscription: &Subscription, entry: &Entry) -> bool {
    let user = &subscription.connection.user;
    if !visibility::is_told(user, entry) {
        return false;
    }
    if is_powerful(subscription) {
        stage.powerful_subscriber_sees(user, entry)
    } else {
        stage.subscriber_sees(user, entry)
    }
}

/// Whether the subscription's user may look into the conversation now.
fn reads(stage: &Stage, subscription: &Subscription, now: Timestamp) -> bool {
    let user = &subscription.connection.user;
    let reader =
        Reader { user: Some(user), member: stage.members.get(user), powerful: is_powerful(subscription) };
    stage.conversation.as_ref().is_some_and(|one| visibility::may_read(one, reader, now))
}

/// Whether the entry ends the user's subscription.
fn ends(stage: &Stage, user: &UserId, entry: &Entry) -> bool {
    let closed = || {
        let openness: Option<&Openness> = stage.last.as_ref().map(|one| &one.openness);
        openness.is_none_or(|openness| openness.at(entry.seq()) != Visibility::Open)
    };
    match &entry.event {
        Event::MembersRemoved { members, .. } => members.contains(user) && closed(),
        Event::Banned { user: banned, .. } => banned == user,
        Event::ConversationDeleted => true,
        _ => false,
    }
}

/// The frames of an entry: one, several if it tells of several members, none if the dialect has no word for it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn encode(
    cx: &Context,
    epoch: Option<&str>,
    id: &ConversationId,
    entry: &Entry,
    originals: &Originals,
) -> Result<Vec<Bytes>, Error> {
    let position = epoch.map(|epoch| Position { seq: entry.seq().0, epoch });
    let events = events(cx, id, entry, originals).await?;
    Ok(events.iter().map(|event| Bytes::from(event.encode(entry.at, position))).collect())
}

async fn events(
    cx: &Context,
    id: &ConversationId,
    entry: &Entry,
    originals: &Originals,
) -> Result<Vec<Wire>, Error> {
    let channel_id = || id.as_str().to_owned();
    Ok(match &entry.event {
        Event::MessageCreated(message) => vec![said(cx, id, message).await?],
        Event::MessageEdited(reference) => {
            let message_id = reference.id.as_str().to_owned();
            let content = originals.message(entry).map(message::content).unwrap_or_default();
            vec![Wire::MessageUpdated { channel_id: channel_id(), message_id, content }]
        }
        Event::MessageRecalled(reference) => {
            let message_id = reference.id.as_str().to_owned();
            vec![Wire::MessageDeleted { channel_id: channel_id(), message_id }]
        }
        Event::MembersAdded { members, .. } => {
            persons(cx, id, members).await?.into_iter().map(Wire::MemberJoined).collect()
        }
        Event::MembersRemoved { members, how: Departure::Kicked, .. } => {
            let kicked = |user: &UserId| Wire::UserKicked {
                channel_id: channel_id(),
                user_id: Some(user.as_str().to_owned()),
            };
            members.iter().map(kicked).collect()
        }
        Event::MembersRemoved { members, how: Departure::Left | Departure::Removed, .. } => {
            persons(cx, id, members).await?.into_iter().map(Wire::MemberLeft).collect()
        }
        Event::RoleChanged { user, role } => {
            let person = person(cx, id, user).await?;
            vec![Wire::MemberRoleUpdated { person, new_role: role.name() }]
        }
        Event::Banned { user, motive, .. } => vec![Wire::UserBanned(moderation(id, Some(user), motive))],
        Event::Unbanned { user, motive } => vec![Wire::UserUnbanned(moderation(id, Some(user), motive))],
        Event::ConversationUpdated(changes) => Wire::updated(id.as_str(), changes).into_iter().collect(),
        Event::ConversationDeleted => vec![Wire::ChannelDeleted { channel_id: channel_id() }],
        Event::Notice(notice) => told(notice).into_iter().collect(),
        // The dialect has no words for these; a channel's beginning is told to everybody, not to itself.
        Event::CopiesDeleted { .. }
        | Event::ConversationPinned { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::ConversationCreated { .. } => Vec::new(),
    })
}

async fn said(cx: &Context, id: &ConversationId, message: &Message) -> Result<Wire, Error> {
    let Person { channel_id, user_id, username } = person(cx, id, &message.author).await?;
    let message_id = message.id.as_str().to_owned();
    let content = message::content(message);
    Ok(match &message.content.parent {
        None => Wire::ChannelMessage(Said { channel_id, message_id, user_id, username, content }),
        Some(parent) => {
            let parent_message_id = parent.id.as_str().to_owned();
            Wire::MessageReply(Reply {
                channel_id,
                message_id,
                parent_message_id,
                user_id,
                username,
                content,
            })
        }
    })
}

/// What a notice is called on the topic of a user, or of everybody.
fn told(notice: &Notice) -> Option<Wire> {
    match notice {
        Notice::Banned { conversation, motive } => {
            Some(Wire::UserBanned(moderation(conversation, None, motive)))
        }
        Notice::Unbanned { conversation, motive } => {
            Some(Wire::UserUnbanned(moderation(conversation, None, motive)))
        }
        Notice::Kicked { conversation } => {
            Some(Wire::UserKicked { channel_id: conversation.as_str().to_owned(), user_id: None })
        }
        Notice::ConversationCreated { conversation, title } => {
            let channel_id = conversation.as_str().to_owned();
            let channel_name = title.clone().unwrap_or_else(|| channel_id.clone());
            Some(Wire::ChannelCreated { channel_id, channel_name })
        }
    }
}

async fn typing(cx: &Context, id: &ConversationId, signal: &Signal) -> Result<Option<Bytes>, Error> {
    let Signal::Typing { user, typing, at, .. } = signal else { return Ok(None) };
    let Person { channel_id, user_id, username } = person(cx, id, user).await?;
    let username = username.unwrap_or_else(|| user_id.clone());
    let event = event::Event::UserTyping { channel_id, user_id, username, is_typing: *typing };
    Ok(Some(Bytes::from(event.encode(*at, None))))
}

fn moderation(id: &ConversationId, user: Option<&UserId>, motive: &str) -> Moderation {
    Moderation {
        channel_id: id.as_str().to_owned(),
        user_id: user.map(|user| user.as_str().to_owned()),
        motive: motive.to_owned(),
    }
}

async fn person(cx: &Context, id: &ConversationId, user: &UserId) -> Result<Person, Error> {
    let username = cx.store.user(user).await?.map(|user| user.name);
    Ok(Person { channel_id: id.as_str().to_owned(), user_id: user.as_str().to_owned(), username })
}

async fn persons(cx: &Context, id: &ConversationId, users: &[UserId]) -> Result<Vec<Person>, Error> {
    let mut persons = Vec::with_capacity(users.len());
    for user in users {
        persons.push(person(cx, id, user).await?);
    }
    Ok(persons)
}

/// Whether an entry of this topic's log may tell of several users, and so take several frames.
#[must_use]
pub fn takes_several(topic: &Topic, entry: &Entry) -> bool {
    matches!(topic, Topic::Conversation(_))
        && matches!(
            &entry.event,
            Event::MembersAdded { members, .. } | Event::MembersRemoved { members, .. } if members.len() > 1
        )
}
