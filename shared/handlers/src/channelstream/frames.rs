//! What the listeners of a conversation, or of a user's own log, are told of a batch of changes.
//!
//! A listener with a socket gets a frame, of all the events of the batch that it may hear; listeners who may hear
//! the same get the same bytes. For one without a socket the events are kept a while, see [`catch_up`].

use std::collections::BTreeMap;

use bytes::Bytes;
use dialects::channelstream::{event, message::reaches};
use domain::{Dialect, Entry, Error, Event, Object, Place, Timestamp, Topic, UserId, message::Audience};
use store::{
    change::Change, connection::Connection, listener::Listener, mail::Mail, signal::Signal,
    subscription::Subscription,
};

use super::{catch_up, listen, statistics};
use crate::{context::Context, delivery::stage::Stage};

/// An event, and who is to hear it.
struct Told<'a> {
    event: Object,
    audience: Audience,
    /// The entry that it is of: who may see that may hear this.
    entry: Option<&'a Entry>,
    /// Its name among others, for those who hear it later.
    order: String,
    /// When it was.
    at: Timestamp,
    /// What it is told as to those who missed it, if that was asked and is something else; none if it was taken back.
    became: Option<Option<Object>>,
}

impl Told<'_> {
    /// Whether it was before a socket was opened: its listener missed it, however soon it hears it.
    fn is_missed(&self, since: Timestamp) -> bool {
        self.at < since
    }

    /// As a socket hears it that was opened then; none if it is not told there.
    fn to(&self, since: Timestamp) -> Option<Object> {
        if !self.is_missed(since) {
            return Some(self.event.clone());
        }
        let event = self.became.clone().unwrap_or_else(|| Some(self.event.clone()));
        event.map(event::missed)
    }

    fn is_message(&self) -> Option<Place> {
        let entry = self.entry.filter(|entry| matches!(entry.event, Event::MessageCreated(_)))?;
        Some(entry.place)
    }
}

/// The frames that each socket is due, in order.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn frames(
    cx: &Context,
    stage: &Stage,
    changes: &[&Change],
) -> Result<Vec<(Connection, Vec<Bytes>)>, Error> {
    let subscribers: Vec<&Subscription> = stage.subscribers(Dialect::Channelstream).collect();
    if subscribers.is_empty() {
        return Ok(Vec::new());
    }
    let mut told = Vec::new();
    for change in changes {
        told.extend(tell(stage, change));
    }
    let sockets = subscribers.iter().filter(|one| one.detail.is_some());
    if let Some(newest) = sockets.map(|one| one.connection.since).max() {
        find_out(cx, stage, &mut told, newest).await?;
    }
    let mut variants: BTreeMap<(Vec<usize>, Vec<bool>), Vec<Bytes>> = BTreeMap::new();
    let mut frames = Vec::with_capacity(subscribers.len());
    let mut without = Vec::new();
    for subscriber in subscribers {
        let user = &subscriber.connection.user;
        let mut heard: Vec<usize> =
            (0..told.len()).filter(|at| told.get(*at).is_some_and(|one| hears(stage, user, one))).collect();
        if heard.is_empty() {
            continue;
        }
        statistics::delivered(heard.len());
        let Some(socket) = &subscriber.detail else {
            without.push((subscriber, heard));
            continue;
        };
        let since = subscriber.connection.since;
        heard.retain(|at| told.get(*at).is_some_and(|one| may_still(stage, user, one, since)));
        if heard.is_empty() {
            continue;
        }
        let events = || heard.iter().filter_map(|at| told.get(*at));
        let missed = events().map(|one| one.is_missed(since)).collect();
        let same: &Vec<Bytes> =
            variants.entry((heard.clone(), missed)).or_insert_with(|| encode(cx, events(), since));
        frames.push((catch_up::at_socket(socket, user, since), same.clone()));
    }
    frames.extend(later(cx, stage, &mut told, without).await?);
    Ok(frames)
}

fn encode<'a, 'b: 'a>(
    cx: &Context,
    told: impl Iterator<Item = &'a Told<'b>>,
    since: Timestamp,
) -> Vec<Bytes> {
    let events: Vec<Object> = told.filter_map(|one| one.to(since)).collect();
    event::frames(&events, cx.road.gathers()).into_iter().map(Bytes::from).collect()
}

/// Finds out what became of the messages that were written before then: who missed them is told that.
async fn find_out(cx: &Context, stage: &Stage, told: &mut [Told<'_>], since: Timestamp) -> Result<(), Error> {
    let unknown = told.iter().filter(|one| one.is_missed(since) && one.became.is_none());
    let places: Vec<Place> = unknown.filter_map(Told::is_message).collect();
    let found = catch_up::became(cx, &places).await?;
    let channel = channel_of(&stage.topic);
    for one in told {
        if let Some(became) = one.is_message().and_then(|place| found.get(&place)) {
            one.became = Some(became.as_ref().map(|message| event::message(message, channel)));
        }
    }
    Ok(())
}

/// Whether a socket that was opened then is told: what its listener missed only if it was not taken back, and may be read
/// still.
fn may_still(stage: &Stage, user: &UserId, told: &Told<'_>, since: Timestamp) -> bool {
    !told.is_missed(since) || (told.became != Some(None) && stage.subscriber_hears(user))
}

/// The channel that a topic is, as events name it.
pub fn channel_of(topic: &Topic) -> Option<&str> {
    match topic {
        Topic::Conversation(id) => Some(id.as_str()),
        Topic::User(_) | Topic::Global => None,
    }
}

fn hears(stage: &Stage, user: &UserId, told: &Told<'_>) -> bool {
    reaches(&told.audience, user)
        && match told.entry {
            Some(entry) => stage.subscriber_sees(user, entry),
            None => stage.subscriber_hears(user),
        }
}

/// What listeners are told of a change.
fn tell<'a>(stage: &Stage, change: &'a Change) -> Option<Told<'a>> {
    let channel = channel_of(&stage.topic);
    let entry = match change {
        Change::Entry(entry) => entry,
        Change::Signal {
            signal: Signal::Told { dialect: Dialect::Channelstream, id, audience, event, at },
            ..
        } => {
            let order = Mail::of_signal(*at, id);
            return Some(Told {
                event: event.clone(),
                audience: audience.clone(),
                entry: None,
                order,
                at: *at,
                became: None,
            });
        }
        // The dialect has no words for typing and read marks.
        Change::Signal { .. } | Change::Read { .. } | Change::Opened(_) | Change::User(_) => return None,
    };
    let subject = entry.subject()?;
    let audience = match &entry.event {
        Event::MessageEdited(reference) | Event::MessageRecalled(reference) => reference.told.as_ref(),
        _ => None,
    };
    let audience = audience.unwrap_or(subject.audience);
    let told = match &entry.event {
        Event::MessageCreated(message) => event::message(message, channel),
        Event::MessageEdited(reference) => {
            let said = if entry.dialect == Dialect::Channelstream {
                Some(reference.wire.clone())
            } else {
                stage.originals.message(entry).map(event::restated)
            };
            event::edited(channel, reference.id.as_str(), &said?, entry.at)
        }
        Event::MessageRecalled(reference) => event::deleted(channel, reference.id.as_str()),
        _ => return None,
    };
    let order = Mail::of_entry(stage.number, entry.seq());
    let (audience, at) = (audience.clone(), entry.at);
    Some(Told { event: told, audience, entry: Some(entry), order, at, became: None })
}

/// Keeps events for listeners who seem to have no socket. One who opened it a moment ago gets its frame after all.
async fn later(
    cx: &Context,
    stage: &Stage,
    told: &mut [Told<'_>],
    without: Vec<(&Subscription, Vec<usize>)>,
) -> Result<Vec<(Connection, Vec<Bytes>)>, Error> {
    if without.is_empty() {
        return Ok(Vec::new());
    }
    let now = cx.clock.now();
    let keeps = match (&stage.topic, &stage.conversation) {
        (Topic::Conversation(id), Some(conversation)) => cx
            .store
            .channel(id, conversation.number)
            .await?
            .is_none_or(|channel| channel.settings.store_frames),
        _ => true,
    };
    let mut frames = Vec::new();
    for (subscriber, mut heard) in without {
        let Some(listener) = cx.store.listener(&subscriber.connection.id, now).await? else { continue };
        if !keeps {
            let since = listens_since(&listener, now);
            heard.retain(|at| told.get(*at).is_some_and(|one| since.is_some_and(|since| since <= one.at)));
        }
        let found = if listener.told_at().is_some() {
            Some(listener)
        } else {
            leave(cx, stage, &listener, told, &mut heard).await?
        };
        let Some(listener) = found else { continue };
        let Some(socket) = listener.told_at() else { continue };
        let since = listener.since;
        find_out(cx, stage, told, since).await?;
        heard.retain(|at| told.get(*at).is_some_and(|one| may_still(stage, &listener.user, one, since)));
        let due = encode(cx, heard.iter().filter_map(|at| told.get(*at)), since);
        frames.push((catch_up::at_socket(socket, &listener.user, since), due));
    }
    Ok(frames)
}

/// Since when somebody listens for a listener: by its socket, or by a poll.
fn listens_since(listener: &Listener, now: Timestamp) -> Option<Timestamp> {
    let polled = listener.polls_until > now;
    let socket = listener.socket.as_ref().map(|_| listener.since);
    socket.or_else(|| polled.then(|| listener.polls_until.plus_seconds(-listen::LONGEST_SECONDS)))
}

/// Leaves these events as mail. What of them is to be told at once after all, stays in `heard`.
async fn leave(
    cx: &Context,
    stage: &Stage,
    listener: &Listener,
    told: &[Told<'_>],
    heard: &mut Vec<usize>,
) -> Result<Option<Listener>, Error> {
    let mut mail = Vec::with_capacity(heard.len());
    for one in heard.iter().filter_map(|at| told.get(*at)) {
        let event = serde_json::to_string(&one.event);
        mail.push(Mail {
            order: one.order.clone(),
            topic: stage.topic.clone(),
            number: stage.number,
            seq: one.entry.map(Entry::seq),
            at: one.at,
            event: event.map_err(|error| Error::Internal(format!("JSON: {error}")))?,
        });
    }
    let Some((listener, left)) = catch_up::leave(cx, &listener.id, &mail).await? else { return Ok(None) };
    heard.retain(|at| told.get(*at).is_some_and(|one| left.contains(&one.order)));
    Ok(Some(listener))
}
