//! PATCH /channels/{channel_id}
//!
//! Changes a channel's settings; for its admins. What is absent or null stays.

use std::sync::Arc;

use dialects::channels::channel::channel;
use domain::{Dialect, Error, Visibility, entry::Changes};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::conversation,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-update-channel",
    Dialect::Channels,
    Method::PATCH,
    "/channels/{channel_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    channel_name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.channel()?;
    let body: Body = request.body()?;
    if body.channel_name.as_ref().is_some_and(String::is_empty) {
        return Err(Error::invalid("channel_name", "must not be empty"));
    }
    let changes = Changes {
        title: body.channel_name,
        description: body.description,
        visibility: body.visibility,
        ..Changes::default()
    };
    let after = conversation::update(&cx, &request.caller, Dialect::Channels, &id, changes).await?;
    reply(StatusCode::OK, &channel(&after))
}
