//! GET /admin/admin.json
//!
//! Tells of everything: channels, users, connections. Wire page, Endpoints.

use std::sync::Arc;

use dialects::channelstream::{info::ChannelsInfo, request::Wanted};
use domain::{Dialect, Error, MessageId, Object, Place, Seq, Topic, UserId, channel::UserState, ids::Nonce};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use serde::Serialize;
use store::directory::PARALLEL;

use super::{
    attendance,
    request::{Refusal, answer_anybody, body, check_signature, reply},
    show, statistics,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-admin-json",
    Dialect::Channelstream,
    Method::GET,
    "/admin/admin.json",
    &[
        Action::BatchGetItem,
        Action::BatchWriteItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer_anybody(cx, call, handle),
);

/// The release whose wire this is.
const VERSION: &str = "0.7.1";

#[derive(Serialize)]
struct Body {
    remembered_user_count: usize,
    unique_user_count: usize,
    total_connections: usize,
    total_channels: usize,
    total_messages: u64,
    total_unique_messages: u64,
    channels: std::collections::BTreeMap<String, dialects::channelstream::info::ChannelInfo>,
    users: Vec<User>,
    uptime: String,
    version: &'static str,
}

#[derive(Serialize)]
struct User {
    state: Object,
    user: UserId,
    uuid: MessageId,
    connections: Vec<String>,
}

/// Also of `POST /admin/admin.json`, whose body says nothing, and may be absent.
pub(super) async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    check_signature(&cx, &call).map_err(|refusal| match refusal {
        Refusal::Denied => Refusal::SignIn,
        other => other,
    })?;
    if !call.body.iter().all(u8::is_ascii_whitespace) {
        body(&call)?;
    }
    let ids = cx.store.all_channels().await?;
    attendance::sweep(&cx, &ids).await?;
    let ChannelsInfo { channels, .. } = show::channels_info(&cx, &ids, &Wanted::default()).await?;
    let (remembered_user_count, users) = users(&cx).await?;
    let counted = statistics::counted();
    reply(&Body {
        remembered_user_count,
        unique_user_count: users.len(),
        total_connections: users.iter().map(|user| user.connections.len()).sum(),
        total_channels: channels.len(),
        total_messages: counted.delivered,
        total_unique_messages: counted.sent,
        channels,
        users,
        uptime: counted.uptime,
        version: VERSION,
    })
}

/// How many users are remembered, and those of them who are connected.
async fn users(cx: &Context) -> Result<(usize, Vec<User>), Error> {
    let all = cx.store.all_stateful_users().await?;
    let remembered = cx.store.user_states(&all, cx.clock.now()).await?;
    let count = remembered.len();
    let users: Vec<Option<User>> = stream::iter(remembered)
        .map(|(user, state)| connected(cx, user, state))
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    let mut users: Vec<User> = users.into_iter().flatten().collect();
    users.sort_by(|one, other| one.user.cmp(&other.user));
    Ok((count, users))
}

async fn connected(cx: &Context, user: UserId, state: UserState) -> Result<Option<User>, Error> {
    let mut listeners = attendance::alive(cx, &Topic::User(user.clone())).await?;
    if listeners.is_empty() {
        return Ok(None);
    }
    listeners.sort_by_key(|listener| listener.connection.since);
    let number = cx.store.user(&user).await?.map(|user| user.number).unwrap_or(domain::Number(0));
    let connections = listeners.into_iter().map(|listener| listener.connection.id).collect();
    let uuid = MessageId::mint(Place { number, seq: Seq(0) }, Nonce::new(0));
    Ok(Some(User { state: state.public(), user, uuid, connections }))
}
