//! Messages, as this dialect shows them.

use domain::{ConversationId, Message, Object};

/// A message's fields. Of a message that is more than a text, the text.
#[must_use]
pub fn fields(message: &Message, conversation: &ConversationId) -> Object {
    let mut fields = Object::new();
    fields.insert("message_id".into(), message.id.as_str().into());
    fields.insert("conversation_id".into(), conversation.as_str().into());
    fields.insert("user_id".into(), message.author.as_str().into());
    fields.insert("message".into(), message.content.text.as_deref().unwrap_or_default().into());
    fields.insert("created_time".into(), message.created_at().millis().into());
    fields
}
