//! GET /listen
//!
//! Long poll: waits for the first event, then for a short silence. Wire page, Endpoints. Events that come while a
//! connection has no socket wait in the table: any process can answer.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dialects::channelstream::{order::Told, pretty, schema};
use domain::{Dialect, Error, Timestamp};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use store::{listener::Listener, mail::Mail};
use tokio::time::Instant;

use super::{
    catch_up,
    request::{Refusal, answer_anybody, of_type, query, with_cors},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-listen",
    Dialect::Channelstream,
    Method::GET,
    "/listen",
    &[Action::BatchGetItem, Action::BatchWriteItem, Action::GetItem, Action::Query, Action::UpdateItem],
    |cx, call| answer_anybody(cx, call, handle),
);

/// How long the first event is waited for.
const WAKE: Duration = Duration::from_secs(5);
/// A poll is surely over after so many seconds.
pub const LONGEST_SECONDS: i64 = 7;
/// How long it must be silent after it.
const SILENCE: Duration = Duration::from_millis(250);
/// The pause between two looks at what waits; it doubles up to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(320));

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let id = query(&call, "conn_id").and_then(schema::uuid_of);
    let id = id.ok_or_else(|| Refusal::Invalid(json!(["Wrong UUID format"])))?;
    let callback = callback(query(&call, "callback"))?;
    let now = cx.clock.now();
    let listener = cx.store.listener(&id, now).await?.ok_or(Refusal::UnknownListener)?;
    cx.store.poll_listener(&listener, now.plus_seconds(LONGEST_SECONDS), now).await?;
    let mail = wait(&cx, &listener, now).await?;
    let events = catch_up::events(&cx, mail, now).await;
    // Only what is over changes: a socket may have been opened meanwhile.
    if let Some(listener) = cx.store.listener(&id, cx.clock.now()).await? {
        let now = cx.clock.now();
        cx.store.poll_listener(&listener, now, now).await?;
    }
    let text = String::from_utf8(pretty(&events.iter().map(Told).collect::<Vec<_>>())).unwrap_or_default();
    // It is called a page: nothing in it may be taken for markup.
    let text = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let text = callback.map_or(text.clone(), |callback| format!("{callback}({text})"));
    Ok(with_cors(of_type(StatusCode::OK, "text/html; charset=UTF-8", text.into_bytes())))
}

/// What waits, and what comes until it is silent.
async fn wait(cx: &Context, listener: &Listener, since: Timestamp) -> Result<Vec<Mail>, Error> {
    let mut seen = BTreeSet::new();
    let mut mail = take(cx, listener, since, &mut seen).await?;
    let mut until = Instant::now() + if mail.is_empty() { WAKE } else { SILENCE };
    let mut pause = PAUSES.0;
    while Instant::now() < until {
        tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
        let more = match take(cx, listener, since, &mut seen).await {
            Ok(more) => more,
            // What is in hand waits nowhere any more.
            Err(error) if !mail.is_empty() => {
                tracing::warn!(listener = listener.id, %error, "no more is waited for");
                break;
            }
            Err(error) => return Err(error),
        };
        if more.is_empty() {
            pause = (pause * 2).min(PAUSES.1);
        } else {
            mail.extend(more);
            until = Instant::now() + SILENCE;
            pause = PAUSES.0;
        }
    }
    Ok(mail)
}

/// What waits now and was not seen yet. What could not be removed is told again by the next call.
async fn take(
    cx: &Context,
    listener: &Listener,
    since: Timestamp,
    seen: &mut BTreeSet<String>,
) -> Result<Vec<Mail>, Error> {
    let waiting = cx.store.mail(&listener.id, cx.clock.now()).await?;
    let new = waiting.iter().filter(|one| !seen.contains(&one.order)).cloned().collect();
    let new = catch_up::permitted(cx, listener, new, since).await?;
    if let Err(error) = cx.store.remove_mail(&listener.id, &waiting).await {
        tracing::warn!(listener = listener.id, %error, "mail is left");
    }
    seen.extend(waiting.into_iter().map(|one| one.order));
    Ok(new)
}

/// The function that is to be called with the events: a name and nothing else.
fn callback(asked: Option<&str>) -> Result<Option<&str>, Refusal> {
    let Some(name) = asked.filter(|name| !name.is_empty()) else { return Ok(None) };
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '$' | '.');
    if name.chars().all(is_part) {
        return Ok(Some(name));
    }
    Err(Refusal::Invalid(Value::Object(
        [("callback".to_owned(), json!(["Not a valid string."]))].into_iter().collect(),
    )))
}
