//! `chat/message` of `/nkchat`
//!
//! Writes, shows, edits, recalls and finds messages. Seed 002, "Use subclass message".

use dialects::nkchat::{error::Refusal, fields::Fields, message, search::Search};
use domain::{ConversationId, Dialect, Error, Message, MessageId, UserId, Visibility, message::Content};
use serde_json::{Value, json};

use super::{
    command::{Asker, Done, Scope},
    conversation::{look, parse as parse_conversation, unnamed},
    search, socket,
    user::parse as parse_user,
};
use crate::{
    auth::Caller,
    context::Context,
    endpoint::{Action, Endpoint},
    operations::{
        create,
        messages::{self, NO_MESSAGE, Recaller},
        send::{self, Draft},
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-message",
    Dialect::Nkchat,
    "chatmessage",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| socket::answer(cx, call, Scope::Message),
);

/// Does a command of this subclass.
///
/// # Errors
/// The command's own.
pub async fn run(asker: Asker<'_>, cmd: &str, fields: &mut Fields) -> Result<Done, Refusal> {
    let caller = asker.acting()?;
    let cx = asker.cx;
    match cmd {
        "create" => create(asker, &caller, fields).await,
        "get" => {
            let id = parse(&fields.needed_text("message_id")?)?;
            let (conversation, found) = visible(cx, &caller, &id).await?;
            Ok(Done::with(Value::Object(message::fields(&found, &conversation))))
        }
        "update" => {
            let (conversation, id) = named(fields)?;
            let text = fields.needed_text("message")?;
            check(cx, &caller, &conversation, &id).await?;
            let edit = |content: &mut Content| content.text = Some(text.clone());
            messages::edit(cx, &caller, Dialect::Nkchat, &id, edit).await?;
            Ok(Done::plainly())
        }
        "delete" => {
            let (conversation, id) = named(fields)?;
            check(cx, &caller, &conversation, &id).await?;
            let ids = [id];
            messages::recall(cx, &caller, Dialect::Nkchat, &ids, Recaller::AuthorOrModerator).await?;
            Ok(Done::plainly())
        }
        "search" => {
            let search = Search::parse(fields)?;
            Ok(Done::with(search::messages(cx, &caller, &search).await?))
        }
        _ => Err(Refusal::NotImplemented),
    }
}

fn parse(id: &str) -> Result<MessageId, Refusal> {
    MessageId::parse(id).map_err(|_invalid| NO_MESSAGE.into())
}

fn named(fields: &mut Fields) -> Result<(ConversationId, MessageId), Refusal> {
    let conversation = parse_conversation(&fields.needed_text("conversation_id")?)?;
    Ok((conversation, parse(&fields.needed_text("message_id")?)?))
}

/// A message that is there and for the caller to see, with its conversation.
pub(super) async fn visible(
    cx: &Context,
    caller: &Caller,
    id: &MessageId,
) -> Result<(ConversationId, Message), Refusal> {
    let found = messages::visible(cx, caller, id).await.map_err(|error| match error {
        Error::Forbidden(_) => NO_MESSAGE,
        other => other,
    })?;
    if found.state.recalled {
        return Err(NO_MESSAGE.into());
    }
    let conversation = cx.store.conversation_of(found.place.number).await?.ok_or(NO_MESSAGE)?;
    Ok((conversation, found))
}

/// Refuses a message that is not in the conversation that was named with it.
async fn check(
    cx: &Context,
    caller: &Caller,
    conversation: &ConversationId,
    id: &MessageId,
) -> Result<(), Refusal> {
    let (is_in, _) = visible(cx, caller, id).await?;
    if is_in == *conversation { Ok(()) } else { Err(NO_MESSAGE.into()) }
}

async fn create(asker: Asker<'_>, caller: &Caller, fields: &mut Fields) -> Result<Done, Refusal> {
    let cx = asker.cx;
    let conversation = parse_conversation(&fields.needed_text("conversation_id")?)?;
    let author = parse_user(&fields.needed_text("user_id")?)?;
    let text = fields.needed_text("message")?;
    let content = Content { text: Some(text), ..Content::default() };
    let drafts = vec![Draft { content, ..Draft::default() }];
    let Some(writer) = writer(asker, caller, author) else {
        return Err(not_for(cx, caller, &conversation).await);
    };
    if caller.powerful {
        bring_into_being(cx, &writer, &conversation).await?;
    }
    let sent = match send::send(cx, &writer, Dialect::Nkchat, &conversation, drafts).await {
        Err(Error::Forbidden(_)) => return Err(not_for(cx, caller, &conversation).await),
        sent => sent?,
    };
    let sent = sent.messages.first().ok_or_else(|| Error::Internal("nothing was sent".into()))?;
    Ok(Done::with(json!({ "message_id": sent.id })))
}

/// Who writes in the name of this author; nobody who may not.
fn writer(asker: Asker<'_>, caller: &Caller, author: UserId) -> Option<Caller> {
    if caller.powerful {
        return Some(Caller { user: Some(author), powerful: true, server: true });
    }
    let itself = caller.user.as_ref() == Some(&author)
        || asker.session.is_some_and(|open| open.state.name == author.as_str());
    itself.then(|| caller.clone())
}

/// Why somebody may not write there. Who may not look into the conversation is not told that there is one.
async fn not_for(cx: &Context, caller: &Caller, conversation: &ConversationId) -> Refusal {
    look(cx, caller, conversation).await.err().unwrap_or(Refusal::Unauthorized)
}

/// Whom and what the application names comes into being: neither of the two ids must exist. A conversation that
/// nobody made is an open one of that name.
async fn bring_into_being(cx: &Context, writer: &Caller, id: &ConversationId) -> Result<(), Error> {
    if let Some(user) = &writer.user {
        cx.store.ensure_user_untold(user, cx.clock.now()).await?;
    }
    if cx.store.conversation_seen(id).await?.is_some_and(|known| !known.deleted)
        || cx.store.conversation(id, true).await?.is_some_and(|known| !known.deleted)
    {
        return Ok(());
    }
    let nobody = Caller { user: None, powerful: true, server: true };
    match create::create(cx, &nobody, Dialect::Nkchat, unnamed(id.clone(), Visibility::Open)).await {
        // Somebody else was faster.
        Ok(_) | Err(Error::Exists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
