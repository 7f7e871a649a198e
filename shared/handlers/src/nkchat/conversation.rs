//! `chat/conversation` of `/nkchat`
//!
//! Makes, shows, ends and finds conversations, and says who is in them. Seed 002, "Use subclass conversation".

use dialects::nkchat::{conversation, error::Refusal, fields::Fields, id, search::Search};
use domain::{
    ConversationId, Dialect, Error, Object, Role, UserId, Visibility,
    entry::{Arrival, Departure},
    limits,
};
use serde_json::{Value, json};

use super::{
    command::{Asker, Done, Scope},
    search, session, socket,
    user::parse as parse_user,
};
use crate::{
    auth::Caller,
    context::Context,
    endpoint::{Action, Endpoint},
    operations::{
        access::{self, View},
        commit::NO_CONVERSATION,
        conversation as settings,
        create::{self, NewConversation},
        membership,
    },
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint::socket(
    "nkchat-conversation",
    Dialect::Nkchat,
    "chatconversation",
    &[
        Action::BatchGetItem,
        Action::DeleteItem,
        Action::GetItem,
        Action::PutItem,
        Action::Query,
        Action::UpdateItem,
        Action::ManageConnections,
    ],
    |cx, call| socket::answer(cx, call, Scope::Conversation),
);

/// Does a command of this subclass.
///
/// # Errors
/// The command's own.
pub async fn run(asker: Asker<'_>, cmd: &str, fields: &mut Fields) -> Result<Done, Refusal> {
    let caller = asker.acting()?;
    let cx = asker.cx;
    match cmd {
        "create" => create(cx, &caller, fields).await,
        "get" => {
            let view = look(cx, &caller, &parse(&fields.needed_text("conversation_id")?)?).await?;
            let mut shown = conversation::fields(&view.conversation);
            shown.insert("user_ids".into(), user_ids(cx, &view).await?);
            Ok(Done::with(Value::Object(shown)))
        }
        "delete" => {
            let id = parse(&fields.needed_text("conversation_id")?)?;
            look(cx, &caller, &id).await?;
            settings::delete(cx, &caller, Dialect::Nkchat, &id).await?;
            Ok(Done::plainly())
        }
        "add_members" | "remove_members" => {
            let id = parse(&fields.needed_text("conversation_id")?)?;
            let users = users(&fields.needed_list("user_ids")?)?;
            if cmd == "add_members" {
                add(cx, &caller, &id, &users).await?;
            } else {
                remove(cx, &caller, &id, &users).await?;
            }
            Ok(Done::plainly())
        }
        "get_members" => {
            let view = look(cx, &caller, &parse(&fields.needed_text("conversation_id")?)?).await?;
            let mut shown = Object::new();
            shown.insert("user_ids".into(), user_ids(cx, &view).await?);
            Ok(Done::with(Value::Object(shown)))
        }
        "search" => {
            let search = Search::parse(fields)?;
            Ok(Done::with(search::conversations(cx, &caller, &search).await?))
        }
        _ => Err(Refusal::NotImplemented),
    }
}

/// The conversation of that id; what is no id is none's.
pub(super) fn parse(id: &str) -> Result<ConversationId, Refusal> {
    ConversationId::parse(id).map_err(|_invalid| NO_CONVERSATION.into())
}

/// Looks into a conversation. One that is not for the caller to see is not there.
pub(super) async fn look<'a>(
    cx: &Context,
    caller: &'a Caller,
    id: &ConversationId,
) -> Result<View<'a>, Refusal> {
    hidden(access::view(cx, caller, id).await)
}

fn hidden(view: Result<View<'_>, Error>) -> Result<View<'_>, Refusal> {
    view.map_err(|error| match error {
        Error::Forbidden(_) => NO_CONVERSATION.into(),
        other => other.into(),
    })
}

pub(super) async fn user_ids(cx: &Context, view: &View<'_>) -> Result<Value, Error> {
    let members = cx.store.members(&view.conversation.id, view.conversation.number).await?;
    Ok(json!(conversation::user_ids(&members)))
}

fn users(ids: &[String]) -> Result<Vec<UserId>, Refusal> {
    if ids.len() > limits::USERS_PER_CALL {
        return Err(Refusal::SyntaxError("user_ids".into()));
    }
    ids.iter().map(|id| parse_user(id)).collect()
}

async fn create(cx: &Context, caller: &Caller, fields: &mut Fields) -> Result<Done, Refusal> {
    let name = fields.needed_text("name")?;
    let description = fields.text("description")?;
    let members = users(&fields.list("user_ids")?.unwrap_or_default())?;
    let id = ConversationId::trusted(id::base62(session::random()?));
    let new = NewConversation { title: Some(name), description, members, ..unnamed(id, Visibility::Private) };
    let made = create::create(cx, caller, Dialect::Nkchat, new).await?;
    Ok(Done::with(json!({ "conversation_id": made.id })))
}

/// A conversation of which only the id is known.
pub(super) fn unnamed(id: ConversationId, visibility: Visibility) -> NewConversation {
    NewConversation {
        id: Some(id),
        title: None,
        description: None,
        visibility,
        members: Vec::new(),
        custom_type: None,
        image_url: None,
        config: Object::new(),
        meta: Object::new(),
        claimed_at: None,
    }
}

async fn add(cx: &Context, caller: &Caller, id: &ConversationId, users: &[UserId]) -> Result<(), Refusal> {
    if users.is_empty() {
        return look(cx, caller, id).await.map(|_view| ());
    }
    let how = if itself(caller, users) { Arrival::Joined } else { Arrival::Added };
    // Who may not add is told so before learning which users there are.
    let view = hidden(access::glance(cx, caller, id).await)?;
    if how == Arrival::Added {
        view.actor().needs(Role::Admin)?;
    }
    create::known_users(cx, caller, Dialect::Nkchat, users).await?;
    Ok(membership::add(cx, caller, Dialect::Nkchat, id, users, how).await?)
}

async fn remove(cx: &Context, caller: &Caller, id: &ConversationId, users: &[UserId]) -> Result<(), Refusal> {
    look(cx, caller, id).await?;
    if users.is_empty() {
        return Ok(());
    }
    let how = if itself(caller, users) { Departure::Left } else { Departure::Removed };
    Ok(membership::remove(cx, caller, Dialect::Nkchat, id, users, how).await?)
}

/// Whether an ordinary caller names nobody else: joining and leaving.
fn itself(caller: &Caller, users: &[UserId]) -> bool {
    !caller.powerful && users.iter().all(|user| Some(user) == caller.user.as_ref())
}
