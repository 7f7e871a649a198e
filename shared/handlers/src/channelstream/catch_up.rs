//! What a listener missed: mail that waits for it, until a poll takes it or a socket is opened.
//!
//! A socket is told nothing by anybody else before its listener's mail was handed out: until then all goes to the mail,
//! also what happens meanwhile. Whoever leaves mail beside what is being handed out notes it in the listener's item, and
//! the listener is told at its socket from the moment at which nothing was noted since the mail was last read: both are
//! conditional writes of one item. If the note is first, the mail is read once more; if it is refused, what was left is
//! either gone, because it was told, or is told by who left it, after everything else ([`leave`]).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dialects::channelstream::event;
use domain::{
    Dialect, Error, Event, Object, Place, Timestamp, Topic, UserId,
    visibility::{self, Reader},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{
    connection::Connection,
    listener::{Listener, Socket},
    mail::Mail,
};

use super::frames::channel_of;
use crate::{
    context::Context,
    delivery::{due::Queues, post},
};

/// How often the mail is read again because more was left: then something is wrong, and the stream brings the socket
/// again.
const ROUNDS: usize = 100;
/// Subscriptions that are led to a socket at once.
const TOPICS_AT_ONCE: usize = 16;
/// How often it is asked how a listener stands that changes all the time.
const LOOKS: usize = 5;

/// Hands out what waits for a listener that has opened a socket, until nothing is left, and has everything else be told
/// there from then on. What was posted is removed, so that whoever takes over from one that died goes on.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`]: to be called again.
pub async fn open(cx: &Context, socket: &Socket) -> Result<(), Error> {
    let mut told = BTreeSet::new();
    for _ in 0..ROUNDS {
        let now = cx.clock.now();
        let Some(listener) = cx.store.listener(&socket.listener, now).await? else {
            // It has ended, or waited for this for so long that it was given up: its client must come back.
            cx.gateway.close(Dialect::Channelstream, &socket.id).await;
            return Ok(());
        };
        if listener.socket.as_ref() != Some(&socket.id) {
            // Another socket has taken over, and what waits.
            return Ok(());
        }
        if listener.opening.is_none() || {
            hand_out(cx, &listener, socket, &mut told).await?;
            cx.store.open_socket(&listener, now).await?
        } {
            let open = Listener { opening: None, ..listener };
            return lead(cx, &open).await;
        }
    }
    tracing::warn!(socket = socket.id, "more is left than can be handed out");
    Err(Error::Busy)
}

async fn hand_out(
    cx: &Context,
    listener: &Listener,
    socket: &Socket,
    told: &mut BTreeSet<String>,
) -> Result<(), Error> {
    let waiting = cx.store.mail(&listener.id, cx.clock.now()).await?;
    let new: Vec<Mail> = waiting.iter().filter(|one| !told.contains(&one.order)).cloned().collect();
    let events = events(cx, permitted(cx, listener, new, socket.at).await?, socket.at).await;
    let frames: Vec<Bytes> = event::frames(&events, cx.road.gathers()).into_iter().map(Bytes::from).collect();
    if !frames.is_empty() {
        let connection = at_socket(&socket.id, &listener.user, socket.at);
        let posts = post::post_all(cx, Queues::from([(connection, frames)])).await;
        if posts.done.is_none() && posts.gone.is_empty() {
            // It is not there yet.
            return Err(Error::Busy);
        }
    }
    told.extend(waiting.iter().map(|one| one.order.clone()));
    if let Err(error) = cx.store.remove_mail(&listener.id, &waiting).await {
        tracing::warn!(listener = listener.id, %error, "mail is left: it may be told again");
    }
    Ok(())
}

/// A socket is one connection however it is found: `since` is always when it was opened.
pub fn at_socket(socket: &str, user: &UserId, since: Timestamp) -> Connection {
    let (dialect, user) = (Dialect::Channelstream, user.clone());
    Connection { id: socket.to_owned(), user, dialect, since, arrays: false }
}

/// Lets all subscriptions of a listener lead to where it is told now.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn lead(cx: &Context, listener: &Listener) -> Result<(), Error> {
    let now = cx.clock.now();
    let topics = cx.store.topics(&listener.id).await?;
    let led = stream::iter(topics).map(|topic| async move { cx.store.lead(listener, &topic, now).await });
    led.buffer_unordered(TOPICS_AT_ONCE).try_collect().await
}

/// Leaves mail, in order, for a listener that was without a socket, or was not told there yet. Gives back what of it is
/// to be told by the caller after all, and the listener, if its socket was opened meanwhile.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn leave(
    cx: &Context,
    listener: &str,
    mail: &[Mail],
) -> Result<Option<(Listener, BTreeSet<String>)>, Error> {
    let now = cx.clock.now();
    for one in mail {
        cx.store.put_mail(listener, one, now).await?;
    }
    for _ in 0..LOOKS {
        let Some(found) = cx.store.listener(listener, now).await? else { return Ok(None) };
        if found.socket.is_none() {
            // Whoever opens one reads what waits after that.
            return Ok(None);
        }
        if found.opening.is_some() {
            if cx.store.note_left(listener).await? {
                return Ok(None);
            }
            continue;
        }
        // Whoever handed out removed what it told before it was done.
        let mut waiting = cx.store.mail(listener, now).await?;
        let left: BTreeSet<&str> = mail.iter().map(|one| one.order.as_str()).collect();
        waiting.retain(|one| left.contains(one.order.as_str()));
        cx.store.remove_mail(listener, &waiting).await?;
        return Ok(Some((found, waiting.into_iter().map(|one| one.order).collect())));
    }
    Err(Error::Busy)
}

/// What of the mail a listener may be told that listens since then: what it missed, if it subscribes to it still, and its
/// user may read it by now; what came later was judged by its place in the log, as what is told live is.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn permitted(
    cx: &Context,
    listener: &Listener,
    mut mail: Vec<Mail>,
    since: Timestamp,
) -> Result<Vec<Mail>, Error> {
    let is_missed = |one: &Mail| one.at <= since;
    if !mail.iter().any(is_missed) {
        return Ok(mail);
    }
    let heard: BTreeSet<Topic> = cx.store.topics(&listener.id).await?.into_iter().collect();
    let mut permitted = BTreeMap::new();
    for one in mail.iter().filter(|one| is_missed(one)) {
        let log = (one.topic.clone(), one.number);
        if permitted.contains_key(&log) {
            continue;
        }
        let may = heard.contains(&one.topic) && may_read(cx, listener, one).await?;
        permitted.insert(log, may);
    }
    mail.retain(|one| !is_missed(one) || permitted.get(&(one.topic.clone(), one.number)) == Some(&true));
    Ok(mail)
}

async fn may_read(cx: &Context, listener: &Listener, mail: &Mail) -> Result<bool, Error> {
    let Topic::Conversation(id) = &mail.topic else { return Ok(true) };
    let conversation = cx.store.conversation(id, true).await?;
    let Some(conversation) = conversation.filter(|one| one.number == mail.number) else { return Ok(false) };
    let member = cx.store.member(id, &listener.user).await?;
    let member = member.filter(|member| member.number == mail.number);
    let reader = Reader { user: Some(&listener.user), member: member.as_ref(), powerful: false };
    Ok(visibility::may_read(&conversation, reader, cx.clock.now()))
}

/// The mail as it is told to who listens since then: first what was missed, as it is by now, and then what came.
pub async fn events(cx: &Context, mail: Vec<Mail>, since: Timestamp) -> Vec<Object> {
    let (missed, came): (Vec<Mail>, Vec<Mail>) = mail.into_iter().partition(|one| one.at <= since);
    let places: Vec<Place> =
        missed.iter().filter_map(|one| Some(Place { number: one.number, seq: one.seq? })).collect();
    let became = became(cx, &places).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "what was missed is told as it was then");
        BTreeMap::new()
    });
    let event = |one: &Mail| serde_json::from_str::<Object>(&one.event).ok();
    let missed = missed.iter().filter_map(|one| {
        let place = one.seq.map(|seq| Place { number: one.number, seq });
        match place.and_then(|place| became.get(&place)) {
            Some(became) => became.as_ref().map(|message| event::message(message, channel_of(&one.topic))),
            None => event(one),
        }
    });
    let mut events = event::settled(missed.map(event::missed).collect());
    events.extend(came.iter().filter_map(event));
    events
}

/// The messages at these places as they are by now; none for one that was taken back. The stream may be late: what
/// became of them may not have been told yet.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn became(
    cx: &Context,
    places: &[Place],
) -> Result<BTreeMap<Place, Option<domain::Message>>, Error> {
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = cx.store.entries_at(places, true).await?;
    let messages = found.into_iter().filter_map(|entry| match entry.event {
        Event::MessageCreated(message) => Some((entry.place, (!message.state.recalled).then_some(*message))),
        _ => None,
    });
    Ok(messages.collect())
}
