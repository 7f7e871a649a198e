//! The body of a message to be sent: the same for send and broadcast.

use domain::{
    Error, MessageId, Object,
    message::{Audience, Content, Kind, Mention},
};
use serde::Deserialize;

use super::request::{Date, user_ids};
use crate::{json::Fields, operations::send::Draft};

/// What `send` and `broadcast` have in common. Unknown keys are ignored: the SDK adds `isGroup`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MessageBody {
    id: Option<String>,
    r#type: Option<String>,
    custom_type: Option<String>,
    body: Option<String>,
    parent_id: Option<String>,
    show_in_conversation: Option<bool>,
    recipients: Option<Vec<String>>,
    mentioned_users: Option<Vec<Fields<MentionBody>>>,
    attachments: Option<Vec<Object>>,
    events: Option<Fields<EventsBody>>,
    created_at: Option<Date>,
    encrypted: Option<bool>,
    meta_data: Option<Object>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MentionBody {
    user_id: String,
    word_count: i64,
    order: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct EventsBody {
    send_push_notification: Option<bool>,
    update_unread_count: Option<bool>,
}

/// Most attachments and mentions of one message.
const MOST_PARTS: usize = 100;

impl MessageBody {
    /// The message to be sent, checked.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn draft(self) -> Result<Draft, Error> {
        let parent_id = self.parent_id.map(|id| MessageId::parse(id).map_err(|error| of("parentId", &error)));
        let parent_id = parent_id.transpose()?;
        let kind = kind(self.r#type.as_deref(), parent_id.is_some())?;
        let attachments = attachments(self.attachments.unwrap_or_default())?;
        let body = self.body.filter(|body| !body.is_empty());
        if body.is_none() && attachments.is_empty() {
            return Err(Error::invalid("body", "or `attachments` is required"));
        }
        let recipients = user_ids("recipients", self.recipients.unwrap_or_default())?;
        let events = self.events.unwrap_or_default().0;
        Ok(Draft {
            id: self.id.map(|id| MessageId::parse(id).map_err(|error| of("id", &error))).transpose()?,
            parent_id,
            audience: Audience { only: recipients.into_iter().collect(), ..Audience::default() },
            content: Content {
                text: body,
                kind,
                custom_type: self.custom_type,
                thread_only: self.show_in_conversation == Some(false),
                mentions: mentions(self.mentioned_users.unwrap_or_default())?,
                attachments,
                no_push: events.send_push_notification == Some(false),
                no_unread: events.update_unread_count == Some(false),
                encrypted: self.encrypted.unwrap_or(false),
                meta: self.meta_data.unwrap_or_default(),
                claimed_at: self.created_at.map(|date| date.0),
                ..Content::default()
            },
        })
    }
}

/// The same error, of this field.
fn of(field: &str, error: &Error) -> Error {
    match error {
        Error::Invalid { reason, .. } => Error::invalid(field, reason),
        other => other.clone(),
    }
}

/// "Messages created with parent_id are automatically of this type" (seed, Send Messages).
fn kind(word: Option<&str>, has_parent: bool) -> Result<Kind, Error> {
    let kind = match word {
        None => Kind::Normal,
        Some(word) => dialects::channelize::message::kind_of(word)
            .ok_or_else(|| Error::invalid("type", "must be normal, reply, forward or admin"))?,
    };
    match (kind, has_parent) {
        (_, true) => Ok(Kind::Reply),
        (Kind::Reply, false) => Err(Error::invalid("parentId", "is required for a message of type reply")),
        (kind, false) => Ok(kind),
    }
}

/// Attachments with their ids, minted where there are none: 24 hexadecimal digits, as the seed shows them.
fn attachments(attachments: Vec<Object>) -> Result<Vec<Object>, Error> {
    if attachments.len() > MOST_PARTS {
        return Err(Error::invalid("attachments", format!("has more than {MOST_PARTS}")));
    }
    let mut checked = Vec::with_capacity(attachments.len());
    for (n, mut attachment) in attachments.into_iter().enumerate() {
        let kind = attachment.get("type").and_then(|kind| kind.as_str());
        if kind.is_none_or(str::is_empty) {
            return Err(Error::invalid(format!("attachments[{n}].type"), "is required, a string"));
        }
        match attachment.get("id") {
            None | Some(serde_json::Value::Null) => {
                let random = uuid::Uuid::new_v4().simple().to_string();
                attachment.insert("id".into(), random.get(..24).unwrap_or(&random).into());
            }
            Some(serde_json::Value::String(id)) if !id.is_empty() => {}
            Some(_) => return Err(Error::invalid(format!("attachments[{n}].id"), "must be a string")),
        }
        checked.push(attachment);
    }
    Ok(checked)
}

fn mentions(mentions: Vec<Fields<MentionBody>>) -> Result<Vec<Mention>, Error> {
    if mentions.len() > MOST_PARTS {
        return Err(Error::invalid("mentionedUsers", format!("has more than {MOST_PARTS}")));
    }
    let checked = mentions.into_iter().enumerate().map(|(n, Fields(mention))| {
        let field = format!("mentionedUsers[{n}]");
        if mention.word_count < 0 || mention.order < 0 {
            return Err(Error::invalid(field, "has a negative number"));
        }
        let user =
            domain::UserId::parse(mention.user_id).map_err(|error| of(&format!("{field}.userId"), &error))?;
        Ok(Mention { user, words: mention.word_count, order: mention.order })
    });
    checked.collect()
}
