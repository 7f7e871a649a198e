//! POST /user_state
//!
//! Changes what the application says about a user, and tells the channels that want to know. Wire page, Endpoints.

use std::sync::Arc;

use dialects::channelstream::{event, order, request};
use domain::{ConversationId, Dialect, Error, Object, Topic, UserId, channel::UserState, message::Audience};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use store::retry;

use super::{
    attendance,
    request::{Refusal, answer, body, reply, user},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-user-state",
    Dialect::Channelstream,
    Method::POST,
    "/user_state",
    &[Action::BatchGetItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
struct Body {
    user_state: Object,
    changed_state: Vec<Value>,
    public_keys: Vec<String>,
}

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let body = body(&call)?;
    let named = body.get("user").and_then(Value::as_str).and_then(|name| UserId::parse(name).ok());
    let known = match &named {
        Some(user) => cx.store.user_state(user, cx.clock.now()).await?.is_some(),
        None => false,
    };
    let asked = request::user_state(&body, known)?;
    let user = user(&asked.user);
    let (state, mut changed) = change(&cx, &user, &asked).await?;
    // They are told in the order in which they were given.
    let order = order::state_keys(&call.body);
    changed.sort_by_key(|(key, _)| order.iter().position(|one| one == key));
    if !changed.is_empty() {
        announce(&cx, &user, &state, &changed).await?;
    }
    let changed = changed.into_iter().map(|(key, value)| json!({ "key": key, "value": value }));
    reply(&Body { user_state: state.state, changed_state: changed.collect(), public_keys: state.public_keys })
}

type Changed = Vec<(String, Value)>;

async fn change(
    cx: &Context,
    user: &UserId,
    asked: &request::ChangeState,
) -> Result<(UserState, Changed), Error> {
    let now = cx.clock.now();
    for attempt in 0..retry::ATTEMPTS {
        let before = cx.store.user_state(user, now).await?;
        let mut state = before.clone().unwrap_or_default();
        if let Some(keys) = &asked.state_public_keys {
            state.public_keys.clone_from(keys);
        }
        let changed = state.merge(asked.user_state.clone());
        if cx.store.put_user_state(user, before.as_ref(), &state, now).await? {
            return Ok((state, changed));
        }
        retry::pause(attempt).await;
    }
    Err(Error::Busy)
}

/// Tells each channel that the user listens to, and that wants to know.
async fn announce(cx: &Context, user: &UserId, state: &UserState, changed: &Changed) -> Result<(), Error> {
    let mut channels: Vec<ConversationId> = Vec::new();
    for listener in attendance::alive(cx, &Topic::User(user.clone())).await? {
        channels.extend(attendance::channels_of(cx, &listener.connection.id).await?);
    }
    for (id, channel) in cx.store.channels(&channels).await? {
        if channel.settings.notify_state {
            let now = cx.clock.now();
            let uuid = uuid::Uuid::new_v4().to_string();
            let told = event::state_change(&uuid, id.as_str(), user.as_str(), state, changed, now);
            attendance::tell(cx, channel.number, uuid, Audience::default(), told, now).await?;
            cx.store.touch_channel(&id, now).await?;
        }
    }
    Ok(())
}
