//! Class `core`: logging in, who is there, what one wants to hear, and what sessions tell one another.

use std::collections::BTreeMap;

use dialects::nkchat::{
    error::Refusal,
    event::{CORE, Event, SESSION_EVENT, Selector, USER_EVENT},
    fields::Fields,
    frame::{self, Request, Tid},
};
use domain::{ConversationId, Error, Object, Topic, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use store::{connection::Connection, subscription::Wide};

use super::{
    command::{After, Asker, Done},
    personal, relay,
    session::{self, Arrival, Open, Reach},
    socket,
};
use crate::{auth, context::Context, operations::access};

/// Subscriptions of one session.
const SUBSCRIPTIONS: usize = 100;
/// Bytes of what a client says about its session, or adds to what it hears.
const META_BYTES: usize = 4_096;
/// Users who are asked for at once.
const USERS_AT_ONCE: usize = 16;

/// Does a command of this class.
///
/// # Errors
/// The command's own.
pub async fn run(asker: Asker<'_>, request: &Request, fields: &mut Fields) -> Result<Done, Refusal> {
    let cmd = (request.subclass.as_str(), request.cmd.as_str());
    if cmd == ("user", "login") {
        return login(asker, fields).await;
    }
    asker.caller()?;
    match cmd {
        ("user", "list") => list(asker).await,
        ("user", "get") => get(asker, fields).await,
        ("user", "send_event") => tell_user(asker, fields).await,
        ("session", "send_event") => tell_session(asker, fields).await,
        ("session", "stop") => {
            let open = relay::named(asker, fields).await?;
            Ok(Done { data: None, after: After::Close(vec![open.connection().id.clone()]) })
        }
        ("session", "cmd") => relay::send(asker, &request.tid, fields).await,
        ("session", "log") => log(asker, fields),
        ("event", "subscribe") => subscribe(asker, fields).await,
        ("event", "unsubscribe") => unsubscribe(asker, fields).await,
        ("event", "get_subscriptions") => subscriptions(asker, &request.tid).await,
        ("event", "send") => send(asker, fields).await,
        ("test", "async") => {
            let data = fields.object("data")?.unwrap_or_default();
            if let Some(connection) = asker.connection {
                socket::post(asker.cx, connection, frame::ack(&request.tid)).await;
            }
            Ok(Done::with(data.into()))
        }
        _ => Err(Refusal::NotImplemented),
    }
}

async fn login(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let Asker { cx, connection: Some(connection), .. } = asker else { return Err(Refusal::NotImplemented) };
    let name = fields.needed_text("user")?;
    let password = fields.text("password")?;
    let meta = small(fields.object("meta")?, "meta")?;
    if asker.session.is_some_and(|open| open.state.told) {
        return Err(Refusal::AlreadyAuthenticated);
    }
    let (user, powerful) = prove(cx, &name, password.as_deref()).await?;
    let id = match asker.session {
        None => {
            let who = Arrival { user, name, powerful, meta, told: true, arrays: false };
            session::begin(cx, connection, who).await?.id
        }
        // The handshake logged in already; now its client hears so.
        Some(open) if open.connection().user == user => {
            session::change(cx, connection, |state| {
                state.told = true;
                state.meta = meta.clone();
                Ok(state.id.clone())
            })
            .await?
        }
        Some(_) => return Err(Refusal::AlreadyAuthenticated),
    };
    Ok(Done { data: Some(json!({ "session_id": id })), after: After::Ping })
}

/// Who it is, and whether an admin: by a password, or by a token in its place.
///
/// # Errors
/// [`Refusal::Unauthorized`].
pub(super) async fn prove(
    cx: &Context,
    name: &str,
    password: Option<&str>,
) -> Result<(UserId, bool), Refusal> {
    let password = password.ok_or(Refusal::Unauthorized)?;
    if let Ok((user, claims)) = auth::verify(&cx.secrets, password, cx.clock.now()).await {
        if user.as_str() != name && cx.store.user_named(name).await? != Some(user.clone()) {
            return Err(Refusal::Unauthorized);
        }
        // As on the original, logging in tells nobody of a new user.
        cx.store.ensure_user_untold(&user, cx.clock.now()).await?;
        return Ok((user, claims.admin));
    }
    let user = cx.store.verify_password(name, password).await?.ok_or(Refusal::Unauthorized)?;
    Ok((user.id, false))
}

/// An object of the client's own, if it is not too large to be kept with the session.
fn small(object: Option<Object>, name: &str) -> Result<Object, Refusal> {
    let object = object.unwrap_or_default();
    let size = serde_json::to_string(&object).map_or(usize::MAX, |json| json.len());
    if size > META_BYTES { Err(Refusal::SyntaxError(name.into())) } else { Ok(object) }
}

/// The sessions that are there: for who may do everything everybody's, for others their own. It asks for every
/// user's: no list of sessions is kept, so that a session costs nothing more than its connection.
async fn list(asker: Asker<'_>) -> Result<Done, Refusal> {
    let cx = asker.cx;
    let caller = asker.caller()?;
    let users =
        if caller.powerful { cx.store.all_users().await? } else { caller.user.clone().into_iter().collect() };
    let found: Vec<Vec<Open>> = stream::iter(users)
        .map(|user| async move { session::of_user(cx, &user).await })
        .buffered(USERS_AT_ONCE)
        .try_collect()
        .await?;
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for open in found.into_iter().flatten() {
        by_name.entry(open.state.name).or_default().push(open.state.id);
    }
    Ok(Done::with(json!(by_name)))
}

/// The sessions of who is called so: by a login, by an id, or by both, where one user's login is another's id.
async fn sessions_of(cx: &Context, name: &str) -> Result<Vec<Open>, Refusal> {
    let named = cx.store.user_named(name).await?.ok_or(Refusal::UserNotFound)?;
    let mut found = session::of_user(cx, &named).await?;
    if let Some(other) = UserId::parse(name).ok().filter(|id| *id != named) {
        found.extend(session::of_user(cx, &other).await?);
    }
    if found.is_empty() { Err(Refusal::UserNotFound) } else { Ok(found) }
}

async fn get(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let caller = asker.caller()?;
    let found = sessions_of(asker.cx, &fields.needed_text("user")?).await?;
    let shown = |open: Open| {
        // What a client says about its session is its user's business.
        let own = caller.powerful || caller.user.as_ref() == Some(&open.connection().user);
        (open.state.id, Value::Object(if own { open.state.meta } else { Object::new() }))
    };
    Ok(Done::with(Value::Object(found.into_iter().map(shown).collect())))
}

async fn tell_user(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    asker.powerful()?;
    let name = fields.needed_text("user")?;
    let kind = fields.text("type")?.unwrap_or_default();
    let body = fields.object("body")?.unwrap_or_default();
    let sessions = sessions_of(asker.cx, &name).await?;
    personal::tell_user(asker.cx, &name, &sessions, &kind, &body).await?;
    Ok(Done::plainly())
}

async fn tell_session(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    asker.powerful()?;
    let open = relay::named(asker, fields).await?;
    let kind = fields.text("type")?.unwrap_or_default();
    let body = fields.object("body")?.unwrap_or_default();
    personal::tell_session(asker.cx, &open, &kind, body).await?;
    Ok(Done::plainly())
}

fn log(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let session = asker.session.map(|open| open.state.id.as_str());
    let (source, message) = (fields.needed_text("source")?, fields.needed_text("message")?);
    let level = fields.whole("level", 7)?.unwrap_or(6);
    if level == 0 {
        return Err(Refusal::SyntaxError("level".into()));
    }
    fields.text("full_message")?;
    fields.object("meta")?;
    tracing::debug!(session, source, level, bytes = message.len(), "a client logs");
    Ok(Done::plainly())
}

/// The subscriptions that a command names: one for each type.
fn selectors(fields: &mut Fields) -> Result<Vec<Selector>, Refusal> {
    let any = |text: Option<String>| text.filter(|text| text != "*").unwrap_or_default();
    let class = fields.needed_text("class")?;
    let class = any(Some(class));
    let subclass = any(fields.text("subclass")?);
    let mut kinds = fields.texts("type")?.unwrap_or_default();
    if kinds.is_empty() {
        kinds.push(String::new());
    }
    let obj_id = any(fields.text("obj_id")?);
    let body = small(fields.object("body")?, "body")?;
    let selector = |kind: String| Selector {
        class: class.clone(),
        subclass: subclass.clone(),
        kind: any(Some(kind)),
        obj_id: obj_id.clone(),
        body: body.clone(),
    };
    Ok(kinds.into_iter().map(selector).collect())
}

async fn subscribe(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let Asker { cx, session: Some(open), .. } = asker else { return Err(Refusal::NotImplemented) };
    let wanted = selectors(fields)?;
    change_subscriptions(cx, open, &wanted, |subscriptions| {
        for one in &wanted {
            subscriptions.retain(|other| !other.selects_as(one));
            subscriptions.push(one.clone());
        }
        if subscriptions.len() > SUBSCRIPTIONS {
            return Err(Error::Conflict("A session has at most 100 subscriptions.").into());
        }
        Ok(())
    })
    .await
}

async fn unsubscribe(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    let Asker { cx, session: Some(open), .. } = asker else { return Err(Refusal::NotImplemented) };
    let unwanted = selectors(fields)?;
    change_subscriptions(cx, open, &unwanted, |subscriptions| {
        subscriptions.retain(|one| !unwanted.iter().any(|other| other.selects_as(one)));
        Ok(())
    })
    .await
}

/// Changes what a session wants to hear, and by what that comes. What comes and is not wanted is not told.
///
/// What `named` comes by is written whether or not the session wanted it before: perhaps it is this very change that
/// was found, done without an answer, or one whose function died before it got here.
async fn change_subscriptions(
    cx: &Context,
    open: &Open,
    named: &[Selector],
    change: impl Fn(&mut Vec<Selector>) -> Result<(), Refusal>,
) -> Result<Done, Refusal> {
    let connection = open.connection();
    let (named, wanted) = session::change(cx, &connection.id, |state| {
        change(&mut state.subscriptions)?;
        Ok((state.reaches_of(named), state.reaches()))
    })
    .await?;
    for reach in &named {
        match reach {
            reach if wanted.contains(reach) => follow(cx, connection, reach).await?,
            Reach::Topic(topic) => cx.store.unsubscribe(&connection.id, topic).await?,
            Reach::Wide(wide) => cx.store.unsubscribe_widely(&connection.id, *wide).await?,
        }
    }
    Ok(Done::plainly())
}

async fn follow(cx: &Context, connection: &Connection, reach: &Reach) -> Result<(), Error> {
    let now = cx.clock.now();
    match reach {
        Reach::Topic(topic) => cx.store.subscribe(connection, topic, None, now).await,
        Reach::Wide(wide) => cx.store.subscribe_widely(connection, *wide, now).await,
    }
}

async fn subscriptions(asker: Asker<'_>, tid: &Tid) -> Result<Done, Refusal> {
    let Asker { cx, session: Some(open), .. } = asker else { return Err(Refusal::NotImplemented) };
    socket::post(cx, &open.connection().id, frame::ack(tid)).await;
    let mut all = open.state.subscriptions.clone();
    all.sort_by(|one, other| {
        let order =
            |it: &Selector| (it.class.clone(), it.subclass.clone(), it.kind.clone(), it.obj_id.clone());
        order(one).cmp(&order(other))
    });
    Ok(Done::with(all.iter().map(Selector::shown).collect()))
}

/// `core/event/send`: tells an event of the application's own to all who want to hear it. It is in no log: like
/// a command to another session it goes straight from one to the others. One of a user or a session goes to that one.
async fn send(asker: Asker<'_>, fields: &mut Fields) -> Result<Done, Refusal> {
    asker.powerful()?;
    let cx = asker.cx;
    let event = Event {
        class: fields.needed_text("class")?,
        subclass: fields.text("subclass")?.unwrap_or_default(),
        kind: fields.text("type")?.unwrap_or_default(),
        obj_id: fields.text("obj_id")?.unwrap_or_default(),
        body: fields.object("body")?.unwrap_or_default(),
    };
    match (event.class.as_str(), event.subclass.as_str()) {
        (CORE, USER_EVENT) => {
            let sessions = absent(sessions_of(cx, &event.obj_id).await)?.unwrap_or_default();
            personal::tell_user(cx, &event.obj_id, &sessions, &event.kind, &event.body).await?;
            return Ok(Done::plainly());
        }
        (CORE, SESSION_EVENT) => {
            if let Some(open) = absent(session::named(cx, &event.obj_id).await)? {
                personal::tell_session(cx, &open, &event.kind, event.body).await?;
            }
            return Ok(Done::plainly());
        }
        _ => {}
    }
    let now = cx.clock.now();
    let about = ConversationId::parse(event.obj_id.as_str()).ok();
    let mut found = cx.store.subscribers(&Topic::Global, now).await?;
    found.extend(cx.store.wide_subscribers(Wide::All, now).await?);
    found.extend(cx.store.wide_subscribers(Wide::Open, now).await?);
    if let Some(id) = &about {
        found.extend(cx.store.subscribers(&Topic::Conversation(id.clone()), now).await?);
    }
    let mut connections: Vec<&str> = found.iter().map(|one| one.connection.id.as_str()).collect();
    connections.sort_unstable();
    connections.dedup();
    for open in session::find_all(cx, connections).await? {
        // What is about a conversation is only for those who may look into it.
        let hears = match &about {
            Some(id) => !matches!(access::view(cx, &open.caller(), id).await, Err(Error::Forbidden(_))),
            None => true,
        };
        if hears {
            socket::tell(cx, &open, &event).await;
        }
    }
    Ok(Done::plainly())
}

/// What was looked for, if it is there.
fn absent<T>(found: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
    match found {
        Err(Refusal::UserNotFound | Refusal::SessionNotFound) => Ok(None),
        found => found.map(Some),
    }
}
