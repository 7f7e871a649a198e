//! PATCH /message
//!
//! Edits messages, and rewrites them in the history. Seed 000, Modify message. An edit of what is not there is told
//! all the same.

use std::sync::Arc;

use dialects::channelstream::{
    event,
    message::{self, audience},
    order::Echo,
    request::{self, Message as Asked},
    schema, time,
};
use domain::{Dialect, Error, MessageId, Object, Timestamp};
use http::Method;
use serde_json::Value;

use super::{
    outreach,
    request::{Refusal, answer, body, reply},
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
    operations::relay::Revision,
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-edit-messages",
    Dialect::Channelstream,
    Method::PATCH,
    "/message",
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

async fn handle(cx: Arc<Context>, call: HttpCall) -> Result<HttpReply, Refusal> {
    let asked = schema::many(&body(&call)?, request::edit)?;
    for edit in &asked {
        revision(edit).check()?;
    }
    let mut echoes = vec![Echo::default(); asked.len()];
    for (channel, group) in outreach::by_channel(asked.iter().map(|one| one.delivery.channel.as_deref())) {
        let edits: Vec<&Asked> = group.iter().filter_map(|index| asked.get(*index)).collect();
        let done = match channel {
            Some(name) => {
                let revisions: Vec<Revision> = edits.iter().map(|edit| revision(edit)).collect();
                let told = |index: usize, at| {
                    let edit = edits.get(index)?;
                    Some((&edit.delivery, event::edited(Some(name), uuid(edit), &said(edit), at)))
                };
                outreach::revise(&cx, name, &revisions, told).await?
            }
            None => to_users(&cx, &edits).await?,
        };
        for (index, (edit, at)) in group.into_iter().zip(edits.into_iter().zip(done)) {
            if let Some(place) = echoes.get_mut(index) {
                *place = echo(edit, at);
            }
        }
    }
    reply(&echoes)
}

async fn to_users(cx: &Context, edits: &[&Asked]) -> Result<Vec<Timestamp>, Error> {
    let mut done = Vec::with_capacity(edits.len());
    for edit in edits {
        let now = cx.clock.now();
        let event = event::edited(None, uuid(edit), &said(edit), now);
        outreach::tell_users(cx, &edit.delivery.pm_users, &event, now).await?;
        done.push(now);
    }
    Ok(done)
}

fn uuid(edit: &Asked) -> &str {
    edit.uuid.as_deref().unwrap_or_default()
}

/// What the edit says, and no more.
fn said(edit: &Asked) -> Object {
    let mut said = Object::new();
    let texts = [("timestamp", &edit.timestamp), ("user", &edit.user), ("edited", &edit.edited)];
    for (key, text) in texts {
        if let Some(text) = text {
            said.insert(key.to_owned(), text.as_str().into());
        }
    }
    if let Some(payload) = &edit.message {
        said.insert("message".to_owned(), Value::Object(payload.clone()));
    }
    said
}

fn revision(edit: &Asked) -> Revision {
    let said = edit.clone();
    Revision {
        id: MessageId::trusted(uuid(edit)),
        audience: audience(&edit.delivery.pm_users, &edit.delivery.exclude_users),
        wire: self::said(edit),
        rewrite: Some(Box::new(move |content, seq| {
            if said.message.is_some() {
                message::set_payload(content, said.message.clone());
            }
            message::set_timestamp(content, said.timestamp.as_deref());
            message::set_user(content, said.user.as_deref());
            message::set_edited(content, said.edited.as_deref(), seq);
        })),
    }
}

fn echo(edit: &Asked, at: Timestamp) -> Echo {
    let mut echo = outreach::echo(&edit.delivery, uuid(edit));
    echo.extend(said(edit));
    echo.entry("edited").or_insert_with(|| time::naive(at).into());
    Echo(echo)
}
