//! What the listeners of a conversation, or of a user's own log, are told of a batch of changes.
//!
//! A listener with a socket gets a frame, of all the events of the batch that it may hear; listeners who may hear
//! the same get the same bytes. For one without a socket the events are kept a while: a poll takes them, or the
//! opening of a socket ([`opened`]).

use std::collections::BTreeMap;

use bytes::Bytes;
use dialects::channelstream::{event, message::reaches};
use domain::{Dialect, Entry, Error, Event, Object, Timestamp, Topic, UserId, message::Audience};
use store::{
    change::Change,
    connection::Connection,
    listener::{Listener, Socket},
    mail::Mail,
    signal::Signal,
    subscription::Subscription,
};

use super::statistics;
use crate::{context::Context, delivery::stage::Stage};

/// An event, and who is to hear it.
struct Told<'a> {
    event: Object,
    audience: Audience,
    /// The entry that it is of: who may see that may hear this.
    entry: Option<&'a Entry>,
    /// Its place among others, for those who hear it later.
    order: String,
    /// When it was.
    at: Timestamp,
}

impl Told<'_> {
    /// Whether it was before a socket was opened: its listener missed it, however soon it hears it.
    fn is_missed(&self, since: Timestamp) -> bool {
        self.at < since
    }

    /// As a socket hears it that was opened then.
    fn to(&self, since: Timestamp) -> Object {
        if self.is_missed(since) { event::missed(self.event.clone()) } else { self.event.clone() }
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
    let mut variants: BTreeMap<(Vec<usize>, Vec<bool>), Vec<Bytes>> = BTreeMap::new();
    let mut frames = Vec::with_capacity(subscribers.len());
    let mut without = Vec::new();
    for subscriber in subscribers {
        let user = &subscriber.connection.user;
        let heard: Vec<usize> =
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
        let events = || heard.iter().filter_map(|at| told.get(*at));
        let missed = events().map(|one| one.is_missed(since)).collect();
        let encode = || {
            let events: Vec<Object> = events().map(|one| one.to(since)).collect();
            event::frames(&events, cx.road.gathers()).into_iter().map(Bytes::from).collect()
        };
        let same: &Vec<Bytes> = variants.entry((heard.clone(), missed)).or_insert_with(encode);
        frames.push((at_socket(socket, user, since), same.clone()));
    }
    frames.extend(later(cx, stage, &told, without).await?);
    Ok(frames)
}

/// A socket is one connection however it is found: `since` is always when it was opened.
fn at_socket(socket: &str, user: &UserId, since: Timestamp) -> Connection {
    let dialect = Dialect::Channelstream;
    Connection { id: socket.to_owned(), user: user.clone(), dialect, since, arrays: false }
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
    let channel = match &stage.topic {
        Topic::Conversation(id) => Some(id.as_str()),
        Topic::User(_) | Topic::Global => None,
    };
    let entry = match change {
        Change::Entry(entry) => entry,
        Change::Signal {
            signal: Signal::Told { dialect: Dialect::Channelstream, id, audience, event, at },
            ..
        } => {
            let order = format!("{:015}#{id}", at.millis());
            return Some(Told {
                event: event.clone(),
                audience: audience.clone(),
                entry: None,
                order,
                at: *at,
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
    let order = format!("{:015}#{}#{:012}", entry.at.millis(), entry.place.number, entry.seq().0);
    Some(Told { event: told, audience: audience.clone(), entry: Some(entry), order, at: entry.at })
}

/// Keeps events for listeners who seem to have no socket. One who opened it a moment ago gets its frame after all.
async fn later(
    cx: &Context,
    stage: &Stage,
    told: &[Told<'_>],
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
    for (subscriber, heard) in without {
        let id = &subscriber.connection.id;
        let Some(listener) = cx.store.listener(id, now).await? else { continue };
        let polled = listener.polls_until > now;
        if !keeps && !polled && listener.socket.is_none() {
            continue;
        }
        let heard: Vec<&Told<'_>> = heard.into_iter().filter_map(|at| told.get(at)).collect();
        frames.extend(keep(cx, &listener, polled, &heard).await?);
    }
    Ok(frames)
}

async fn keep(
    cx: &Context,
    listener: &Listener,
    polled: bool,
    heard: &[&Told<'_>],
) -> Result<Option<(Connection, Vec<Bytes>)>, Error> {
    let now = cx.clock.now();
    let mut mail = Vec::with_capacity(heard.len());
    for told in heard {
        let event = if polled { told.event.clone() } else { event::missed(told.event.clone()) };
        let text =
            serde_json::to_string(&event).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
        cx.store.put_mail(&listener.id, &told.order, &text, now).await?;
        mail.push(Mail { order: told.order.clone(), event: text });
    }
    // Whoever opens a socket takes what waits after having written it down.
    let socket = match &listener.socket {
        Some(_) => Some(listener.clone()),
        None => cx.store.listener(&listener.id, now).await?,
    };
    let Some(Listener { socket: Some(socket), since, .. }) = socket else { return Ok(None) };
    // It may be told of both, but not of none.
    cx.store.remove_mail(&listener.id, &mail).await?;
    let now = heard.iter().map(|told| told.to(since)).collect::<Vec<_>>();
    let frames: Vec<Bytes> = event::frames(&now, cx.road.gathers()).into_iter().map(Bytes::from).collect();
    Ok(Some((at_socket(&socket, &listener.user, since), frames)))
}

/// What a socket that was just opened is due: all that its listener missed; and what of the mail that is, to be removed
/// when it was posted.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn opened(cx: &Context, socket: &Socket) -> Result<(Connection, Vec<Bytes>, Vec<Mail>), Error> {
    let waiting = cx.store.mail(&socket.listener, cx.clock.now()).await?;
    let events: Vec<Object> = waiting
        .iter()
        .filter_map(|mail| serde_json::from_str::<Object>(&mail.event).ok())
        .map(event::missed)
        .collect();
    let settled = event::settled(events);
    let frames = event::frames(&settled, cx.road.gathers()).into_iter().map(Bytes::from).collect();
    Ok((at_socket(&socket.id, &socket.user, socket.at), frames, waiting))
}
