//! POST /channels
//!
//! Makes a channel, with the caller as its owner. One that is not private is told on `global`.

use std::sync::Arc;

use dialects::channels::channel::channel;
use domain::{ConversationId, Dialect, Error, Object, Visibility};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::create::{self, NewConversation},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-create-channel",
    Dialect::Channels,
    Method::POST,
    "/channels",
    &[Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    channel_name: String,
    description: Option<String>,
    visibility: Option<Visibility>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    if body.channel_name.is_empty() {
        return Err(Error::invalid("channel_name", "must not be empty"));
    }
    let new = NewConversation {
        id: request.seed.clone().map(ConversationId::trusted),
        title: Some(body.channel_name),
        description: body.description,
        visibility: body.visibility.unwrap_or(Visibility::Public),
        members: Vec::new(),
        custom_type: None,
        image_url: None,
        config: Object::new(),
        meta: Object::new(),
        claimed_at: None,
    };
    let made = match create::create(&cx, &request.caller, Dialect::Channels, new).await {
        // Made by the first try of this request, which died before it could say so.
        Err(error @ Error::Exists(_)) => first(&cx, &request).await?.ok_or(error)?,
        made => made?,
    };
    reply(StatusCode::CREATED, &channel(&made))
}

async fn first(cx: &Context, request: &Request) -> Result<Option<domain::Conversation>, Error> {
    match &request.seed {
        Some(seed) => cx.store.conversation(&ConversationId::trusted(seed.as_str()), true).await,
        None => Ok(None),
    }
}
