//! Messages, and the log's other entries that are shown as messages of type `admin`.

use std::{collections::BTreeMap, sync::LazyLock};

use domain::{
    Conversation, ConversationId, Entry, Event, Message, MessageId, Object, UserId,
    entry::{Arrival, Departure},
    message::Kind,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Scene,
    user::{self, Brief},
};

/// A message, with the keys of the seed's reply to `send`, and of its list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    id: MessageId,
    conversation_id: &'a ConversationId,
    r#type: &'static str,
    custom_type: Option<&'a str>,
    is_deleted: bool,
    encrypted: bool,
    created_at: String,
    updated_at: String,
    body: Option<&'a str>,
    owner_id: Option<&'a UserId>,
    reactions_count: BTreeMap<&'a str, usize>,
    reactions: &'a BTreeMap<String, Vec<UserId>>,
    meta_data: &'a Object,
    attachments: Vec<Object>,
    owner: Option<Brief>,
    mentioned_users: Vec<Mention<'a>>,
    reply_count: u64,
    show_in_conversation: bool,
    pinned: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_message: Option<Box<Wire<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_message_id: Option<&'a MessageId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recipients: Vec<&'a UserId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mention<'a> {
    word_count: i64,
    order: i64,
    user_id: &'a UserId,
    user: Brief,
}

/// A message.
#[must_use]
pub fn message<'a>(message: &'a Message, conversation: &'a ConversationId, scene: &'a Scene) -> Wire<'a> {
    let content = &message.content;
    let parent = content.parent.as_ref();
    let mentions = content.mentions.iter().map(|mention| Mention {
        word_count: mention.words,
        order: mention.order,
        user_id: &mention.user,
        user: user::brief(&mention.user, scene),
    });
    Wire {
        id: message.id.clone(),
        conversation_id: conversation,
        r#type: kind(content.kind),
        custom_type: content.custom_type.as_deref(),
        is_deleted: message.state.recalled,
        encrypted: content.encrypted,
        created_at: message.created_at().to_iso(),
        updated_at: message.updated_at().to_iso(),
        body: content.text.as_deref(),
        owner_id: Some(&message.author),
        reactions_count: message
            .state
            .reactions
            .iter()
            .map(|(kind, users)| (kind.as_str(), users.len()))
            .collect(),
        reactions: &message.state.reactions,
        meta_data: &content.meta,
        attachments: content.attachments.clone(),
        owner: Some(user::brief(&message.author, scene)),
        mentioned_users: mentions.collect(),
        reply_count: message.state.replies,
        show_in_conversation: !content.thread_only,
        pinned: message.state.pinned,
        parent_id: parent.map(|parent| &parent.id),
        parent_message: parent.and_then(|parent| scene.parents.get(&parent.seq)).map(|parent| {
            Box::new(Wire { parent_message: None, ..self::message(parent, conversation, scene) })
        }),
        original_message_id: content.forwarded_from.as_ref(),
        recipients: message.audience.only.iter().collect(),
    }
}

/// The wire's word for a kind of message.
#[must_use]
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Normal => "normal",
        Kind::Forward => "forward",
        Kind::Reply => "reply",
        Kind::Admin => "admin",
    }
}

/// The kind of message that the wire's word means.
#[must_use]
pub fn kind_of(word: &str) -> Option<Kind> {
    [Kind::Normal, Kind::Forward, Kind::Reply, Kind::Admin].into_iter().find(|one| kind(*one) == word)
}

/// The users that a rendering of the message names.
pub fn users(message: &Message) -> impl Iterator<Item = &UserId> {
    std::iter::once(&message.author).chain(message.content.mentions.iter().map(|mention| &mention.user))
}

static NOTHING: LazyLock<(Object, BTreeMap<String, Vec<UserId>>)> = LazyLock::new(Default::default);

/// An entry, as the message of type `admin` by which Channelize tells of it; none for entries that it does not
/// tell of.
#[must_use]
pub fn system<'a>(entry: &'a Entry, conversation: &'a Conversation, scene: &'a Scene) -> Option<Wire<'a>> {
    let (kind, values) = told(entry)?;
    let subject = entry.actor.as_ref();
    let mut meta = json!({
        "subId": subject,
        "subType": "user",
        "objType": if values.users.is_empty() { "group" } else { "user" },
        "objValues": values.text.map_or_else(|| json!(values.users), Value::from),
    });
    if let (Some(meta), Some(subject)) = (meta.as_object_mut(), subject) {
        meta.insert("subUser".into(), json!(user::brief(subject, scene)));
    }
    if let Some(meta) = meta.as_object_mut()
        && !values.users.is_empty()
    {
        let users: Vec<Brief> = values.users.iter().map(|id| user::brief(id, scene)).collect();
        meta.insert("objUsers".into(), json!(users));
    }
    let attachment = [
        ("type".to_owned(), json!("text")),
        ("adminMessageType".to_owned(), json!(kind)),
        ("metaData".to_owned(), meta),
    ];
    Some(Wire {
        id: entry.id(),
        conversation_id: &conversation.id,
        r#type: "admin",
        custom_type: None,
        is_deleted: false,
        encrypted: false,
        created_at: entry.at.to_iso(),
        updated_at: entry.at.to_iso(),
        body: None,
        owner_id: subject,
        reactions_count: BTreeMap::new(),
        reactions: &NOTHING.1,
        meta_data: &NOTHING.0,
        attachments: vec![attachment.into_iter().collect()],
        owner: subject.map(|id| user::brief(id, scene)),
        mentioned_users: Vec::new(),
        reply_count: 0,
        show_in_conversation: true,
        pinned: false,
        parent_id: None,
        parent_message: None,
        original_message_id: None,
        recipients: Vec::new(),
    })
}

struct Told<'a> {
    text: Option<String>,
    users: &'a [UserId],
}

/// What Channelize calls it, and what it is about.
fn told(entry: &Entry) -> Option<(&'static str, Told<'_>)> {
    let users = |users| Told { text: None, users };
    let text = |text: &Option<String>| Told { text: Some(text.clone().unwrap_or_default()), users: &[] };
    Some(match &entry.event {
        Event::ConversationCreated { title, .. } => ("admin_group_create", text(title)),
        Event::MembersAdded { members, how: Arrival::Joined, .. } => ("admin_group_join", users(members)),
        Event::MembersAdded { members, .. } => ("admin_group_add_members", users(members)),
        Event::MembersRemoved { members, how: Departure::Left, .. } => ("admin_group_leave", users(members)),
        Event::MembersRemoved { members, .. } => ("admin_group_remove_members", users(members)),
        Event::Banned { user, .. } => ("admin_group_remove_members", users(std::slice::from_ref(user))),
        Event::RoleChanged { user, .. } => ("admin_group_make_admin", users(std::slice::from_ref(user))),
        Event::ConversationUpdated(changes) if changes.title.is_some() => {
            ("admin_group_change_title", text(&changes.title))
        }
        Event::ConversationUpdated(changes) => ("admin_group_change_photo", text(&changes.image_url)),
        Event::MessageCreated(_)
        | Event::MessageEdited(_)
        | Event::MessageRecalled(_)
        | Event::CopiesDeleted { .. }
        | Event::ConversationPinned { .. }
        | Event::ReactionAdded(_)
        | Event::ReactionRemoved(_)
        | Event::MessagePinned(_)
        | Event::MessageUnpinned(_)
        | Event::ConversationDeleted
        | Event::Unbanned { .. }
        | Event::Notice(_) => return None,
    })
}

/// The users that a rendering of the entry names.
#[must_use]
pub fn system_users(entry: &Entry) -> Vec<&UserId> {
    let objects = told(entry).map(|(_, told)| told.users).unwrap_or_default();
    entry.actor.iter().chain(objects).collect()
}
