//! A session: what is known about a socket between two frames, kept in the connection's own item.
//!
//! Nothing runs while nobody speaks: a ping is sent with the answer to the login and, once a minute, with the
//! answer to whatever the client asks; that a ping was not answered shows when the next frame comes, and the
//! socket is closed then. A client that says nothing at all is closed by API Gateway after ten minutes.

use std::collections::{BTreeMap, BTreeSet};

use dialects::nkchat::{
    error::Refusal,
    event::{CHAT, CORE, Event, SESSION_EVENT, Selector, USER_EVENT},
    frame::{PING_SECONDS, Tid},
    id,
};
use domain::{ConversationId, Dialect, Error, Object, Timestamp, Topic, UserId};
use serde::{Deserialize, Serialize};
use store::{connection::Connection, retry, state::Stateful as Stored, subscription::Wide};

use crate::{auth::Caller, context::Context};

/// Seconds within which a command of the server's is to be answered, and after it was acknowledged.
const ANSWER_SECONDS: (i64, i64) = (10, 180);
/// Commands for one session that may wait for their answers.
const RELAYS: usize = 16;

/// What is known about a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its id.
    pub id: String,
    /// What its user is called by `core` commands: the name that was logged in with.
    pub name: String,
    /// An admin's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub powerful: bool,
    /// Its client has been told its id. Not yet, where the handshake logged in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    /// What its client says about it.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub meta: Object,
    /// What it wants to hear.
    pub subscriptions: Vec<Selector>,
    /// The server's last `tid`.
    pub tid: u64,
    /// When the last ping was sent.
    pub pinged: Timestamp,
    /// The ping that is not answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ping: Option<Waiting>,
    /// Commands of others that are not answered yet, by the server's `tid`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relays: BTreeMap<u64, Relay>,
}

/// A command of the server's that waits for its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its `tid`.
    pub tid: u64,
    /// When it was sent.
    pub at: Timestamp,
    /// The client has said that the answer comes later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub acked: bool,
}

impl Waiting {
    fn is_late(&self, now: Timestamp) -> bool {
        let (soon, late) = ANSWER_SECONDS;
        now > self.at.plus_seconds(if self.acked { late } else { soon })
    }
}

/// A command that another session sent here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relay {
    /// Since when it waits.
    pub waiting: Waiting,
    /// The connection that waits for the answer.
    pub from: String,
    /// The `tid` that it waits for.
    pub tid: Tid,
}

/// How a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulse {
    /// Well.
    Alive,
    /// It is to be pinged.
    Due,
    /// It has not answered in time.
    Lost,
}

impl State {
    /// How the session is doing.
    #[must_use]
    pub fn pulse(&self, now: Timestamp) -> Pulse {
        match &self.ping {
            Some(ping) if ping.is_late(now) => Pulse::Lost,
            Some(_) => Pulse::Alive,
            None if now >= self.pinged.plus_seconds(PING_SECONDS) => Pulse::Due,
            None => Pulse::Alive,
        }
    }

    /// Counts a ping that is sent now; its `tid`.
    pub fn count_ping(&mut self, now: Timestamp) -> u64 {
        self.tid += 1;
        self.pinged = now;
        self.ping = Some(Waiting { tid: self.tid, at: now, acked: false });
        self.tid
    }

    /// Keeps a command that was sent here for another session; its `tid`.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many wait already.
    pub fn add_relay(&mut self, from: &str, tid: &Tid, now: Timestamp) -> Result<u64, Refusal> {
        self.relays.retain(|_, relay| !relay.waiting.is_late(now));
        if self.relays.len() >= RELAYS {
            return Err(Error::Busy.into());
        }
        self.tid += 1;
        let waiting = Waiting { tid: self.tid, at: now, acked: false };
        self.relays.insert(self.tid, Relay { waiting, from: from.to_owned(), tid: tid.clone() });
        Ok(self.tid)
    }

    /// Takes the client's word that an answer comes later.
    pub fn acknowledge(&mut self, tid: u64) {
        let ping = self.ping.as_mut().filter(|ping| ping.tid == tid);
        if let Some(waiting) = ping.or(self.relays.get_mut(&tid).map(|relay| &mut relay.waiting)) {
            waiting.acked = true;
        }
    }

    /// Takes the client's answer: who else waits for it, if somebody does and it is not too late.
    pub fn answer(&mut self, tid: u64, now: Timestamp) -> Option<Relay> {
        if self.ping.as_ref().is_some_and(|ping| ping.tid == tid) {
            self.ping = None;
        }
        self.relays.remove(&tid).filter(|relay| !relay.waiting.is_late(now))
    }

    /// Whether it wants to hear the event.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        self.subscriptions.iter().any(|one| one.matches(event))
    }

    /// Where events that it wants to hear come by.
    #[must_use]
    pub fn reaches(&self) -> BTreeSet<Reach> {
        self.reaches_of(&self.subscriptions)
    }

    /// Where events come by that these would let through.
    #[must_use]
    pub fn reaches_of(&self, selectors: &[Selector]) -> BTreeSet<Reach> {
        selectors.iter().flat_map(|one| reaches(one, self.powerful)).collect()
    }
}

/// Where events come by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// One topic.
    Topic(Topic),
    /// Conversations that nobody named. An ordinary session also hears of those that its user is a member of.
    Wide(Wide),
}

/// Where events that a subscription lets through come by.
fn reaches(selector: &Selector, powerful: bool) -> Vec<Reach> {
    let Selector { class, subclass, obj_id, .. } = selector;
    let may_be = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
    let mut reaches = Vec::new();
    // A session's own events come to it anyway, and those of others are for admins only.
    if powerful && may_be(class, CORE) {
        let (user, session) = (may_be(subclass, USER_EVENT), may_be(subclass, SESSION_EVENT));
        if (user || session) && obj_id.is_empty() || session && id::connection(obj_id).is_some() {
            reaches.push(Reach::Wide(Wide::All));
        }
        if user && let Ok(name) = UserId::parse(obj_id.as_str()) {
            reaches.push(Reach::Topic(Topic::User(name)));
        }
    }
    if may_be(class, CHAT) && may_be(subclass, "conversation") {
        if obj_id.is_empty() {
            reaches.push(Reach::Wide(if powerful { Wide::All } else { Wide::Open }));
        } else if let Ok(id) = ConversationId::parse(obj_id.as_str()) {
            reaches.push(Reach::Topic(Topic::Conversation(id)));
        }
    }
    let elsewhere = match class.as_str() {
        CHAT => subclass == "conversation",
        CORE => subclass == USER_EVENT || subclass == SESSION_EVENT,
        _ => false,
    };
    if !elsewhere {
        reaches.push(Reach::Topic(Topic::Global));
    }
    reaches
}

/// A session that was found.
#[derive(Debug, Clone)]
pub struct Open {
    /// As it stands in the table.
    stored: Stored,
    /// What is known about it.
    pub state: State,
}

impl Open {
    /// Its connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.stored.connection
    }

    /// Its user, as somebody who calls.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let user = Some(self.connection().user.clone());
        Caller { user, powerful: self.state.powerful, server: false }
    }
}

fn read(stored: Stored) -> Result<Open, Error> {
    let state = serde_json::from_str(&stored.state).map_err(|error| {
        Error::Internal(format!("session {}: {}", stored.connection.id, store::of_json(&error)))
    })?;
    Ok(Open { stored, state })
}

fn write(state: &State) -> Result<String, Error> {
    serde_json::to_string(state).map_err(|error| Error::Internal(format!("JSON: {error}")))
}

/// The session of a connection; none if nobody has logged in on it.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn find(cx: &Context, connection: &str) -> Result<Option<Open>, Error> {
    cx.store.state(connection, cx.clock.now()).await?.map(read).transpose()
}

/// The sessions of these connections.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn find_all<'a>(
    cx: &Context,
    connections: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Open>, Error> {
    cx.store.states(connections, cx.clock.now()).await?.into_iter().map(read).collect()
}

/// The session of that id.
///
/// # Errors
/// [`Refusal::SessionNotFound`].
pub async fn named(cx: &Context, session: &str) -> Result<Open, Refusal> {
    let Some(connection) = id::connection(session) else { return Err(Refusal::SessionNotFound) };
    let found = find(cx, &connection).await?.filter(|open| open.state.id == session);
    found.ok_or(Refusal::SessionNotFound)
}

/// The sessions of a user.
///
/// # Errors
/// [`Error::Busy`], [`Error::Internal`].
pub async fn of_user(cx: &Context, user: &UserId) -> Result<Vec<Open>, Error> {
    let connections = cx.store.connections(user, cx.clock.now()).await?;
    let ours = connections.iter().filter(|one| one.dialect == Dialect::Nkchat).map(|one| one.id.as_str());
    find_all(cx, ours).await
}

/// Somebody who logs in.
#[derive(Debug)]
pub struct Arrival {
    /// Who.
    pub user: UserId,
    /// By which name.
    pub name: String,
    /// An admin.
    pub powerful: bool,
    /// What the client says about the session.
    pub meta: Object,
    /// The client is told the session's id.
    pub told: bool,
    /// The client asked for its events in arrays.
    pub arrays: bool,
}

/// Begins a session.
///
/// # Errors
/// [`Refusal::AlreadyAuthenticated`] if the connection has one.
pub async fn begin(cx: &Context, connection: &str, who: Arrival) -> Result<State, Refusal> {
    let now = cx.clock.now();
    let id = id::session(connection, random()?)
        .ok_or_else(|| Error::Internal(format!("connection id {connection} is too long")))?;
    let own = |subclass: &str, obj_id: &str| Selector {
        class: CORE.into(),
        subclass: subclass.into(),
        kind: String::new(),
        obj_id: obj_id.into(),
        body: Object::new(),
    };
    let state = State {
        subscriptions: vec![own(SESSION_EVENT, &id), own(USER_EVENT, &who.name)],
        id,
        name: who.name,
        powerful: who.powerful,
        told: who.told,
        meta: who.meta,
        tid: 0,
        pinged: now,
        ping: None,
        relays: BTreeMap::new(),
    };
    let (id, user) = (connection.to_owned(), who.user);
    let connection = Connection { id, user, dialect: Dialect::Nkchat, since: now, arrays: who.arrays };
    let begun = cx.store.open_connection(&Stored { connection, state: write(&state)? }, now).await?;
    if begun { Ok(state) } else { Err(Refusal::AlreadyAuthenticated) }
}

/// Changes a session: `change` may be asked several times.
///
/// # Errors
/// [`Refusal::SessionNotFound`] if it has ended, and what `change` says.
pub async fn change<T>(
    cx: &Context,
    connection: &str,
    change: impl Fn(&mut State) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    for attempt in 0..retry::ATTEMPTS {
        let open = find(cx, connection).await?.ok_or(Refusal::SessionNotFound)?;
        let mut state = open.state.clone();
        let output = change(&mut state)?;
        if state == open.state || cx.store.change_state(&open.stored, &write(&state)?).await? {
            return Ok(output);
        }
        retry::pause(attempt).await;
    }
    Err(Error::Busy.into())
}

/// Twenty random bytes: an id.
///
/// # Errors
/// [`Error::Internal`] where the system has no randomness.
pub fn random() -> Result<[u8; 20], Error> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    Ok(random)
}
