//! Conversations, as this dialect shows them.

use domain::{Conversation, Member, Object, UserId};

/// A conversation's fields, without its members.
#[must_use]
pub fn fields(conversation: &Conversation) -> Object {
    let mut fields = Object::new();
    fields.insert("conversation_id".into(), conversation.id.as_str().into());
    // A name is mandatory here and not elsewhere: what has none is called by its id.
    let name = conversation.title.as_deref().unwrap_or(conversation.id.as_str());
    fields.insert("name".into(), name.into());
    if let Some(description) = &conversation.description {
        fields.insert("description".into(), description.as_str().into());
    }
    fields.insert("created_time".into(), conversation.created_at.millis().into());
    fields
}

/// The ids of those who are members now, in their order.
#[must_use]
pub fn user_ids(members: &[Member]) -> Vec<&UserId> {
    let mut ids: Vec<&UserId> =
        members.iter().filter(|member| member.is_active()).map(|member| &member.user).collect();
    ids.sort();
    ids
}
