//! PUT /v2/conversations/{conversation_id}
//!
//! Changes settings of a conversation; for its admins.

use std::sync::Arc;

use dialects::channelize::conversation::kind_of;
use domain::{Dialect, Error, Object, entry::Changes};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Request, answer, reply};
use crate::{
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::conversation,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-update-conversation",
    Dialect::Channelize,
    Method::PUT,
    "/v2/conversations/{conversation_id}",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
    ],
    |cx, call| answer(cx, call, handle),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    title: Option<String>,
    profile_image_url: Option<String>,
    r#type: Option<String>,
    config: Option<Object>,
    custom_type: Option<String>,
    meta_data: Option<Object>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let id = request.conversation()?;
    let body: Body = request.body()?;
    let visibility = match body.r#type.as_deref() {
        None => None,
        Some(word) => {
            Some(kind_of(word).ok_or_else(|| Error::invalid("type", "must be private, public or open"))?)
        }
    };
    let changes = Changes {
        title: body.title,
        image_url: body.profile_image_url,
        visibility,
        custom_type: body.custom_type,
        config: body.config,
        meta: body.meta_data,
        description: None,
    };
    conversation::update(&cx, &request.caller, Dialect::Channelize, &id, changes).await?;
    let portrait = show::portrait_for(&cx, &request.caller, &id, false).await?;
    reply(StatusCode::OK, &portrait.wire())
}
