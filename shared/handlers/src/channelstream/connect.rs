//! POST /connect
//!
//! Makes a connection for a user, before there is a socket, and subscribes it to channels. Seed 000; wire page,
//! Endpoints.

use std::sync::Arc;

use dialects::channelstream::request;
use domain::{ConversationId, Dialect, Error, Object, Topic, UserId, channel::UserState};
use http::Method;
use serde::Serialize;
use store::{listener::Listener, retry};

use super::{
    attendance,
    request::{Refusal, answer, body, conversation, reply, user},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-connect",
    Dialect::Channelstream,
    Method::POST,
    "/connect",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Serialize)]
struct Body {
    conn_id: String,
    state: Object,
    username: String,
    public_state: Object,
    channels: Vec<ConversationId>,
    channels_info: dialects::channelstream::info::ChannelsInfo,
}

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let asked = request::connect(&body(&call)?)?;
    let user = user(&asked.username);
    let mut channels: Vec<ConversationId> = asked.channels.iter().map(|name| conversation(name)).collect();
    channels.sort();
    attendance::sweep(&cx, &channels).await?;
    let state = user_state(&cx, &user, &asked).await?;
    let id = asked.conn_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let listener = listener(&cx, id, user).await?;
    attendance::subscribe(&cx, &listener, &channels, &asked.channel_configs).await?;
    // Those that the user may not hear are not said to be heard.
    let heard = attendance::channels_of(&cx, &listener.id).await?;
    channels.retain(|channel| heard.contains(channel));
    let channels_info = show::channels_info(&cx, &channels, &asked.info).await?;
    reply(&Body {
        conn_id: listener.id,
        public_state: state.public(),
        state: state.state,
        username: asked.username,
        channels,
        channels_info,
    })
}

/// The user's state with what the request changes of it. Whoever is seen for the first time exists from now on.
async fn user_state(cx: &Context, user: &UserId, asked: &request::Connect) -> Result<UserState, Error> {
    let now = cx.clock.now();
    cx.store.ensure_user(user, now).await?;
    for attempt in 0..retry::ATTEMPTS {
        let before = cx.store.user_state(user, now).await?;
        let mut state = before.clone().unwrap_or_default();
        if before.is_none() {
            state.merge(asked.fresh_user_state.clone());
        }
        state.public_keys.clone_from(&asked.state_public_keys);
        state.merge(asked.user_state.clone());
        if cx.store.put_user_state(user, before.as_ref(), &state, now).await? {
            return Ok(state);
        }
        retry::pause(attempt).await;
    }
    Err(Error::Busy)
}

/// The connection: a new one, or the one of that id, if it is the same user's.
async fn listener(cx: &Context, id: String, user: UserId) -> Result<Listener, Error> {
    let now = cx.clock.now();
    let listener = match cx.store.listener(&id, now).await? {
        Some(standing) if standing.user == user => standing,
        standing => {
            if let Some(other) = standing {
                attendance::leave(cx, &id, &other.user).await?;
            }
            cx.store.put_listener(id, user, now).await?
        }
    };
    // Messages to users, in no channel.
    attendance::hear(cx, &listener, &Topic::User(listener.user.clone())).await?;
    Ok(listener)
}
