//! Events of class `core` that are about one user or one session.
//!
//! Promises: they are heard by the sessions they are about, which are subscribed from their beginning, and by admins'
//! sessions that subscribe to them; each hears one once. No session is looked for but those: an event costs two
//! queries more than the sessions it is for.

use std::collections::BTreeSet;

use dialects::nkchat::event::{Event, SESSION_EVENT, USER_EVENT};
use domain::{Dialect, Error, Object, Topic, UserId};
use store::subscription::Wide;

use super::{
    session::{self, Open},
    socket,
};
use crate::context::Context;

/// Tells an event of a user, who was named so and has these sessions. Each session knows its user by the name that it
/// logged in with.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn tell_user(
    cx: &Context,
    name: &str,
    sessions: &[Open],
    kind: &str,
    body: &Object,
) -> Result<(), Error> {
    let event = |name: &str| Event::core(USER_EVENT, kind, name, body.clone());
    let mut names = vec![name];
    for open in sessions {
        socket::tell(cx, open, &event(&open.state.name)).await;
        if !names.contains(&open.state.name.as_str()) {
            names.push(&open.state.name);
        }
    }
    let topics = names.iter().filter_map(|name| UserId::parse(*name).ok().map(Topic::User)).collect();
    let events: Vec<Event> = names.into_iter().map(event).collect();
    tell_others(cx, topics, sessions, &events).await
}

/// Tells an event of a session.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn tell_session(cx: &Context, open: &Open, kind: &str, body: Object) -> Result<(), Error> {
    let event = Event::core(SESSION_EVENT, kind, &open.state.id, body);
    socket::tell(cx, open, &event).await;
    tell_others(cx, Vec::new(), std::slice::from_ref(open), &[event]).await
}

/// Tells admins' sessions the first of these events that they want to hear, unless they are among those it is about.
async fn tell_others(
    cx: &Context,
    topics: Vec<Topic>,
    about: &[Open],
    events: &[Event],
) -> Result<(), Error> {
    let now = cx.clock.now();
    let mut found = cx.store.wide_subscribers(Wide::All, now).await?;
    for topic in topics {
        found.extend(cx.store.subscribers(&topic, now).await?);
    }
    let is_about = |id: &str| about.iter().any(|open| open.connection().id == id);
    let others: BTreeSet<&str> = found
        .iter()
        .filter(|one| one.connection.dialect == Dialect::Nkchat)
        .map(|one| one.connection.id.as_str())
        .filter(|id| !is_about(id))
        .collect();
    for open in session::find_all(cx, others).await? {
        let wanted = events.iter().find(|event| open.state.powerful && open.state.wants(event));
        if let Some(event) = wanted {
            socket::tell(cx, &open, event).await;
        }
    }
    Ok(())
}
