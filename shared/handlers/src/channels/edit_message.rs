//! PATCH /channels/{channel_id}/messages/{message_id}
//!
//! Gives a message another text; for its author.

use std::sync::Arc;

use domain::{Dialect, Error};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::{
    request::{Request, answer, reply},
    show,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::messages,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channels-edit-message",
    Dialect::Channels,
    Method::PATCH,
    "/channels/{channel_id}/messages/{message_id}",
    &[Action::DeleteItem, Action::GetItem, Action::PutItem, Action::Query, Action::UpdateItem],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
struct Body {
    content: String,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let (id, message) = (request.channel()?, request.message()?);
    let body: Body = request.body()?;
    if body.content.is_empty() {
        return Err(Error::invalid("content", "must not be empty"));
    }
    show::is_in(&cx, &id, &message).await?;
    let edit = |content: &mut domain::message::Content| content.text = Some(body.content.clone());
    let edited = messages::edit(&cx, &request.caller, Dialect::Channels, &message, edit).await?;
    reply(StatusCode::OK, &show::text(&cx, &id, &edited).await?)
}
