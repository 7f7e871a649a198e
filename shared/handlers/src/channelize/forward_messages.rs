//! POST /v2/messages/forward
//!
//! Forwards messages into conversations or to users, as new messages of type `forward`. Seed 003, Forward
//! Messages.

use std::sync::Arc;

use dialects::events::attachment::is_upload;
use domain::{
    Dialect, Error, Message, Object,
    message::{Content, Kind},
};
use http::Method;
use serde::Deserialize;

use super::request::{Request, answer, message_ids, no_content};
use crate::{
    channelize::broadcast_messages::{conversations, targets},
    context::Context,
    endpoint::{Action, Endpoint},
    invocation::HttpReply,
    operations::{
        messages,
        send::{self, Draft},
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::http(
    "channelize-forward-messages",
    Dialect::Channelize,
    Method::POST,
    "/v2/messages/forward",
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

/// Messages of one transaction: of up to 100 KB each, and DynamoDB takes 4 MB.
const FORWARDED_AT_ONCE: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    message_ids: Option<Vec<String>>,
    user_ids: Option<Vec<String>>,
    conversation_ids: Option<Vec<String>>,
}

async fn handle(cx: Arc<Context>, request: Request) -> Result<HttpReply, Error> {
    let body: Body = request.body()?;
    let ids = message_ids(body.message_ids)?;
    let targets = targets(body.user_ids, body.conversation_ids)?;
    let mut drafts = Vec::with_capacity(ids.len());
    for id in &ids {
        let message = messages::visible(&cx, &request.caller, id).await?;
        if message.state.recalled {
            return Err(messages::NO_MESSAGE);
        }
        drafts.push(copy(message)?);
    }
    for conversation in conversations(&cx, &request.caller, targets, &drafts).await? {
        for some in drafts.chunks(FORWARDED_AT_ONCE) {
            send::send(&cx, &request.caller, Dialect::Channelize, &conversation, some.to_vec()).await?;
        }
    }
    no_content()
}

/// "Consider the forwarded messages as a new instance of the message": what was said, by whoever forwards it,
/// without the thread, the recipients and the claimed time of the first one; listed and counted, whatever its own
/// dialect did with it.
///
/// The bytes of a file that was uploaded belong to the first message, and to those who may see it: a copy goes
/// without it.
///
/// # Errors
/// [`Error::Invalid`] for a message of nothing but such files.
fn copy(message: Message) -> Result<Draft, Error> {
    let first = message.content.forwarded_from.clone().unwrap_or(message.id);
    let mut content = Content {
        kind: Kind::Forward,
        forwarded_from: Some(first),
        parent: None,
        thread_only: false,
        claimed_at: None,
        unlisted: false,
        no_unread: false,
        wire: Object::new(),
        ..message.content
    };
    let said = content.attachments.len();
    content.attachments.retain(|one| !is_upload(one));
    let is_empty = content.text.as_deref().unwrap_or_default().is_empty()
        && content.payload.is_empty()
        && content.attachments.is_empty();
    if is_empty && said > 0 {
        return Err(Error::invalid(
            "messageIds",
            "has a message of uploaded files only, which stay where they are",
        ));
    }
    Ok(Draft { content, ..Draft::default() })
}
