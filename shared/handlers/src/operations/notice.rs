//! Notices: what one user, or everybody, is told, in a log of its own.
//!
//! A notice that follows from an entry of a conversation (a ban, a new conversation) is written by the fan-out
//! when it delivers that entry, exactly once however often the stream brings it.

use domain::{
    Conversation, Dialect, Entry, Error, Event, Openness, Place, Seq, Topic, UserId, Visibility,
    entry::Notice,
};
use store::{Appended, Store, Write, conversation, log, retry};

use crate::context::Context;

/// Tells a topic's log a notice. With a `source` it is told once for that entry.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn tell(
    cx: &Context,
    topic: &Topic,
    notice: &Notice,
    (actor, dialect): (Option<&UserId>, Dialect),
    source: Option<Place>,
) -> Result<(), Error> {
    let once: Vec<Write> = source.map(|place| log::once(place, cx.clock.now())).into_iter().collect();
    for attempt in 0..retry::ATTEMPTS {
        let log = log_of(cx, topic).await?;
        let _gate = cx.store.gate(log.number).await;
        let Some(tail) = cx.store.tail(log.number).await? else {
            return Err(Error::Internal(format!("the log of {} is empty", topic.name())));
        };
        let now = cx.clock.now();
        let entry = Entry {
            place: Place { number: log.number, seq: tail.next() },
            at: tail.time(now),
            actor: actor.cloned(),
            dialect,
            nonce: Store::nonce()?,
            settings: tail.settings,
            event: Event::Notice(notice.clone()),
        };
        match cx.store.append(std::slice::from_ref(&entry), once.clone()).await {
            // Refused: it has been told.
            Ok(Appended::Done | Appended::Refused(..)) => return Ok(()),
            Ok(Appended::Overtaken) | Err(Error::Busy) => retry::pause(attempt).await,
            Err(error) => return Err(error),
        }
    }
    Err(Error::Busy)
}

/// The log of a topic that is no conversation, made now if nothing was ever told to it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn log_of(cx: &Context, topic: &Topic) -> Result<Conversation, Error> {
    let id = topic.log();
    if let Some(known) = cx.store.conversation_seen(&id).await? {
        return Ok(known);
    }
    let at = cx.clock.now();
    let number = cx.store.draw_conversation_number().await?;
    let place = Place { number, seq: Seq(1) };
    let log = Conversation {
        id: id.clone(),
        number,
        epoch: Store::epoch()?,
        title: None,
        description: None,
        openness: Openness::new(Visibility::Open),
        peers: None,
        owner: None,
        custom_type: None,
        image_url: None,
        config: domain::Object::new(),
        meta: domain::Object::new(),
        created_at: at,
        updated_at: at,
        members: 0,
        changed: place.seq,
        deleted: false,
    };
    let entry = Entry {
        place,
        at,
        actor: None,
        dialect: Dialect::Channels,
        nonce: Store::nonce()?,
        settings: place.seq,
        event: Event::ConversationCreated { title: None, direct: true, members: Vec::new() },
    };
    let writes = conversation::create_unlisted(&log)?;
    match cx.store.append(std::slice::from_ref(&entry), writes).await? {
        Appended::Done => Ok(log),
        // Somebody else was faster.
        Appended::Refused(..) | Appended::Overtaken => {
            cx.store.conversation(&id, true).await?.ok_or(Error::Busy)
        }
    }
}
