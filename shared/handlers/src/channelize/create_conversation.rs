//! POST /v2/conversations
//!
//! Makes a conversation, with the caller as its owner. A private one that is no group is the one-to-one
//! conversation with its only other member, and there is only one of those. Wire page, Conversation object.

use std::sync::Arc;

use dialects::channelize::conversation::kind_of;
use domain::{ConversationId, Dialect, Error, Object, UserId, Visibility};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::request::{Date, Request, answer, reply, user_ids};
use crate::{
    auth::Caller,
    channelize::show,
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::create::{self, NewConversation},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-create-conversation",
    Dialect::Channelize,
    Method::POST,
    "/v2/conversations",
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
    id: Option<String>,
    title: Option<String>,
    members: Option<Vec<String>>,
    is_group: Option<bool>,
    profile_image_url: Option<String>,
    r#type: Option<String>,
    config: Option<Object>,
    custom_type: Option<String>,
    meta_data: Option<Object>,
    created_at: Option<Date>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let made = create(&cx, &request.caller, body).await?;
    let portrait = show::portrait_for(&cx, &request.caller, &made, true).await?;
    reply(StatusCode::CREATED, &portrait.wire())
}

async fn create(cx: &Context, caller: &Caller, body: Body) -> Result<ConversationId, Error> {
    let visibility = match body.r#type.as_deref() {
        None => Visibility::Private,
        Some(word) => {
            kind_of(word).ok_or_else(|| Error::invalid("type", "must be private, public or open"))?
        }
    };
    let is_group = body.is_group.unwrap_or(true) || visibility != Visibility::Private;
    let members = user_ids("members", body.members.unwrap_or_default())?;
    let title = body.title.filter(|title| !title.is_empty());
    let others: Vec<&UserId> = members.iter().filter(|user| Some(*user) != caller.user.as_ref()).collect();
    let new = NewConversation {
        id: body.id.map(ConversationId::parse).transpose()?,
        title: title.filter(|_| is_group),
        visibility,
        custom_type: body.custom_type,
        image_url: body.profile_image_url,
        config: body.config.unwrap_or_default(),
        meta: body.meta_data.unwrap_or_default(),
        claimed_at: body.created_at.map(|date| date.0),
        ..private()
    };
    if is_group {
        if new.title.is_none() {
            return Err(Error::invalid("title", "is required for a group"));
        }
        if visibility == Visibility::Private && members.is_empty() {
            return Err(Error::invalid("members", "is required for a private conversation"));
        }
        let new = NewConversation { members, ..new };
        return Ok(create::create(cx, caller, Dialect::Channelize, new).await?.id);
    }
    let other = match (&caller.user, others.as_slice()) {
        (Some(_), [other]) => *other,
        _ => {
            return Err(Error::invalid(
                "members",
                "of a one-to-one conversation are the caller and one other",
            ));
        }
    };
    Ok(create::direct(cx, caller, Dialect::Channelize, other, new).await?.id)
}

/// A private conversation of which nothing else is known.
pub(super) fn private() -> NewConversation {
    NewConversation {
        id: None,
        title: None,
        description: None,
        visibility: Visibility::Private,
        members: Vec::new(),
        custom_type: None,
        image_url: None,
        config: Object::new(),
        meta: Object::new(),
        claimed_at: None,
    }
}
