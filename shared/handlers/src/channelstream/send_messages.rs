//! POST /message
//!
//! Sends messages: to channels, to some of their listeners, or to users wherever they are. Seed 000, Send a message.

use std::sync::Arc;

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dialects::channelstream::{
    event,
    message::{self, audience},
    order::Echo,
    request::{self, Message as Asked},
    schema, time,
};
use domain::{
    ConversationId, Dialect, Error, Message, MessageId, Place, Seq, Timestamp, UserId,
    message::{Content, State},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::idempotency::Claim;

use super::{
    outreach,
    request::{Refusal, SERVER, answer, body, conversation, reply, user},
    statistics,
};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::{HttpCall, HttpReply},
    operations::relay::{self, Post},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelstream-send-messages",
    Dialect::Channelstream,
    Method::POST,
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
    let mut asked = schema::many(&body(&call)?, request::message)?;
    asked.retain(|one| one.delivery.channel.is_some() || !one.delivery.pm_users.is_empty());
    statistics::sent(asked.len());
    let authors: BTreeSet<&String> = asked.iter().filter_map(|one| one.user.as_ref()).collect();
    for author in authors {
        cx.store.ensure_user(&user(author), cx.clock.now()).await?;
    }
    let mut echoes = vec![Echo::default(); asked.len()];
    for (channel, group) in outreach::by_channel(asked.iter().map(|one| one.delivery.channel.as_deref())) {
        let drafts: Vec<&Asked> = group.iter().filter_map(|index| asked.get(*index)).collect();
        let sent = match channel {
            Some(name) => to_channel(&cx, &conversation(name), &drafts).await?,
            None => to_users(&cx, &drafts).await?,
        };
        for (index, (draft, message)) in group.into_iter().zip(drafts.into_iter().zip(sent)) {
            if let Some(place) = echoes.get_mut(index) {
                *place = echo(draft, &message);
            }
        }
    }
    reply(&echoes)
}

/// Into a channel; where there is none, to nobody.
async fn to_channel(cx: &Context, id: &ConversationId, drafts: &[&Asked]) -> Result<Vec<Message>, Error> {
    let posts: Vec<Post> = drafts
        .iter()
        .map(|draft| Post {
            id: draft.uuid.as_deref().map(MessageId::trusted),
            author: author(draft),
            content: content(draft),
            audience: audience(&draft.delivery.pm_users, &draft.delivery.exclude_users),
        })
        .collect();
    match relay::post(cx, &SERVER, Dialect::Channelstream, id, &posts).await {
        Err(Error::NotFound(_)) => Ok(drafts.iter().map(|draft| unplaced(cx, draft)).collect()),
        other => other,
    }
}

/// To all connections of users, in no channel. Users who are not known are left out.
async fn to_users(cx: &Context, drafts: &[&Asked]) -> Result<Vec<Message>, Error> {
    let messages: Vec<Message> = drafts.iter().map(|draft| unplaced(cx, draft)).collect();
    for message in &messages {
        outreach::check_size(&message.content)?;
    }
    let mut told = Vec::with_capacity(messages.len());
    for (draft, message) in drafts.iter().zip(messages) {
        told.push(if draft.uuid.is_some() {
            once(cx, draft, message).await?
        } else {
            tell(cx, draft, message).await?
        });
    }
    Ok(told)
}

async fn tell(cx: &Context, draft: &Asked, message: Message) -> Result<Message, Error> {
    outreach::tell_users(cx, &draft.delivery.pm_users, &event::message(&message, None), message.at).await?;
    Ok(message)
}

/// Tells a message that is in no log, and whose uuid the application chose, once in a day. With other words it is another.
async fn once(cx: &Context, draft: &Asked, message: Message) -> Result<Message, Error> {
    let (whose, uuid) = (format!("channelstream:{}", message.author), message.id.as_str());
    let asked = (&message.content, &message.content.text, &message.audience);
    let asked = serde_json::to_vec(&asked).map_err(|error| Error::Internal(format!("JSON: {error}")))?;
    let asked = URL_SAFE_NO_PAD.encode(Sha256::digest(asked));
    match cx.store.claim(&whose, uuid, &asked, cx.clock.now()).await? {
        Claim::Do { seed, .. } => {
            let uuid = uuid.to_owned();
            match tell(cx, draft, message).await {
                Ok(message) => {
                    let at = message.at.millis().to_string();
                    cx.store.settle(&whose, &uuid, &seed, (StatusCode::OK.as_u16(), &at)).await?;
                    Ok(message)
                }
                Err(error) => {
                    cx.store.put_back(&whose, &uuid, &seed, false).await?;
                    Err(error)
                }
            }
        }
        Claim::Done { body, .. } => {
            let at = body.parse().map_or(message.at, Timestamp::from_millis);
            Ok(Message { at, ..message })
        }
        Claim::UnderWay => Err(Error::Busy),
        Claim::Different => tell(cx, draft, message).await,
    }
}

fn author(draft: &Asked) -> UserId {
    user(draft.user.as_deref().unwrap_or_default())
}

fn content(draft: &Asked) -> Content {
    let mut content = Content { unlisted: draft.delivery.no_history, ..Content::default() };
    message::set_payload(&mut content, draft.message.clone());
    message::set_timestamp(&mut content, draft.timestamp.as_deref());
    message::set_lists(&mut content, &draft.delivery.pm_users, &draft.delivery.exclude_users);
    content
}

/// A message that stands in no log.
fn unplaced(cx: &Context, draft: &Asked) -> Message {
    let uuid = draft.uuid.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    Message {
        id: MessageId::trusted(uuid),
        place: Place { number: domain::Number(0), seq: Seq(0) },
        author: author(draft),
        dialect: Dialect::Channelstream,
        at: cx.clock.now(),
        content: content(draft),
        audience: audience(&draft.delivery.pm_users, &draft.delivery.exclude_users),
        state: State::default(),
    }
}

fn echo(draft: &Asked, message: &Message) -> Echo {
    let mut echo = outreach::echo(&draft.delivery, message.id.as_str());
    let timestamp = draft.timestamp.clone().unwrap_or_else(|| time::naive(message.at));
    echo.insert("timestamp".to_owned(), timestamp.into());
    echo.insert("user".to_owned(), json!(draft.user));
    if let Some(payload) = &draft.message {
        echo.insert("message".to_owned(), Value::Object(payload.clone()));
    }
    echo.insert("edited".to_owned(), Value::Null);
    Echo(echo)
}
