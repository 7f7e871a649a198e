//! The function that tells the owner's topic of every entry: for push notifications, webhooks, analytics.
//!
//! It reads the stream beside the fan-out, so that the topic's troubles never hold up a socket. What it says is
//! described in `docs/events.md`; filters look at the attributes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{Entry, Error, Event, Topic, UserId, Visibility, message::Reference};
use http::StatusCode;
use serde_json::{Value, json};
use store::change::{self, Change};

use super::topic::{self, Parcel};
use crate::{
    context::Context,
    endpoint::{Action, Endpoint, Handling, Reads, Trigger},
    invocation::{HttpReply, Invocation, Reply, StreamRecord},
};

/// The function.
pub static ENDPOINT: Endpoint = Endpoint {
    name: "announce",
    dialect: None,
    trigger: Trigger::Stream(Reads::Entries),
    access: &[Action::GetItem, Action::PublishEvents],
    handler: answer,
};

/// The version of what is said. A new field is none; a field that is gone or means something else is.
const VERSION: u64 = 1;

fn answer(cx: Arc<Context>, invocation: Invocation) -> Handling {
    Box::pin(async move {
        let Invocation::Stream(records) = invocation else {
            return Reply::Http(HttpReply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        };
        Reply::Batch(announce(&cx, records).await)
    })
}

/// Announces a batch; the sequence numbers of the records that must be brought again.
async fn announce(cx: &Context, records: Vec<StreamRecord>) -> Vec<String> {
    let (Some(client), Some(arn)) = (&cx.road.topics.client, &cx.road.topics.events) else {
        return Vec::new();
    };
    let (mut failed, mut parcels, mut of) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        match parcel(cx, &record).await {
            Ok(None) => {}
            Ok(Some(parcel)) => {
                parcels.push(parcel);
                of.push(record.sequence_number);
            }
            Err(error) => {
                tracing::error!(record = record.sequence_number, %error, "an entry cannot be announced");
                failed.push(record.sequence_number);
            }
        }
    }
    let left = match topic::publish(client, arn, &parcels).await {
        Ok(left) => left,
        Err(error) => {
            tracing::error!(%error, "nothing can be announced");
            (0..parcels.len()).collect::<BTreeSet<_>>()
        }
    };
    failed.extend(of.into_iter().enumerate().filter(|(at, _)| left.contains(at)).map(|(_, record)| record));
    failed
}

async fn parcel(cx: &Context, record: &StreamRecord) -> Result<Option<Parcel>, Error> {
    let Some(image) = &record.new_image else { return Ok(None) };
    let Some(Change::Entry(entry)) = change::of(image, record.old_image.as_ref())? else { return Ok(None) };
    let id = cx.store.conversation_of(entry.place.number).await?;
    let id = id.ok_or_else(|| Error::Internal(format!("number {} names nothing", entry.place.number)))?;
    let topic = Topic::of_log(&id);
    if !matches!(topic, Topic::Conversation(_)) && !matches!(entry.event, Event::Notice(_)) {
        // The beginning of a log that is no conversation is nobody's business.
        return Ok(None);
    }
    let visibility = match &topic {
        Topic::Conversation(_) => {
            let settings = cx.store.conversation(&id, true).await?;
            let settings = settings.filter(|one| one.number == entry.place.number);
            settings.map_or(Visibility::Private, |one| one.openness.at(entry.seq()))
        }
        Topic::User(_) => Visibility::Private,
        Topic::Global => Visibility::Open,
    };
    Ok(Some(said(&topic, visibility, &entry)))
}

/// What is said of an entry.
#[must_use]
pub fn said(topic: &Topic, visibility: Visibility, entry: &Entry) -> Parcel {
    let (kind, data) = data(&entry.event);
    let push = matches!(&entry.event, Event::MessageCreated(message) if !message.content.no_push);
    let conversation = match topic {
        Topic::Conversation(id) => Some(id.as_str()),
        Topic::User(_) | Topic::Global => None,
    };
    let visibility = match visibility {
        Visibility::Private => "private",
        Visibility::Public => "public",
        Visibility::Open => "open",
    };
    let (only, except) = audience(topic, entry);
    let body = json!({
        "version": VERSION,
        "id": format!("{}.{}", entry.place.number, entry.seq()),
        "type": kind,
        "conversation_id": conversation,
        "log": entry.place.number,
        "seq": entry.seq(),
        "at": entry.at.to_iso(),
        "actor": entry.actor,
        "dialect": entry.dialect.name(),
        "audience": { "visibility": visibility, "only": only, "except": except },
        "push": push,
        "data": data,
    });
    let mut attributes = BTreeMap::from([
        ("type", kind.to_owned()),
        ("dialect", entry.dialect.name().to_owned()),
        ("push", push.to_string()),
        ("limited", (!only.is_empty() || !except.is_empty()).to_string()),
    ]);
    attributes.extend(conversation.map(|id| ("conversation_id", id.to_owned())));
    Parcel { body: body.to_string(), attributes, group: None }
}

/// Who alone may be told (empty: whoever may see the conversation), and who may not.
fn audience(topic: &Topic, entry: &Entry) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
    if let Topic::User(user) = topic {
        return (BTreeSet::from([user.clone()]), BTreeSet::new());
    }
    if let Event::CopiesDeleted { user, .. } | Event::ConversationPinned { user, .. } = &entry.event {
        return (BTreeSet::from([user.clone()]), BTreeSet::new());
    }
    let Some((_, author, audience)) = entry.subject() else { return Default::default() };
    let mut only = audience.only.clone();
    if !only.is_empty() {
        only.insert(author.clone());
    }
    (only, audience.except.clone())
}

/// An entry's type, and what there is to say of it. Not what a dialect keeps to say it again in its own spelling.
fn data(event: &Event) -> (&'static str, Value) {
    match event {
        Event::MessageCreated(message) => {
            let content = &message.content;
            let data = json!({
                "message_id": message.id,
                "author": message.author,
                "text": content.text,
                "payload": content.payload,
                "kind": content.kind,
                "custom_type": content.custom_type,
                "parent_id": content.parent.as_ref().map(|parent| &parent.id),
                "mentions": content.mentions.iter().map(|mention| &mention.user).collect::<Vec<_>>(),
                "attachments": content.attachments,
                "meta": content.meta,
                "encrypted": content.encrypted,
                "forwarded_from": content.forwarded_from,
                "in_history": !content.unlisted,
                "unread": !content.no_unread,
            });
            ("message_created", data)
        }
        Event::MessageEdited(it) => ("message_edited", of_message(it)),
        Event::MessageRecalled(it) => ("message_recalled", of_message(it)),
        Event::MessagePinned(it) => ("message_pinned", of_message(it)),
        Event::MessageUnpinned(it) => ("message_unpinned", of_message(it)),
        Event::ReactionAdded(it) => {
            ("reaction_added", json!({ "message_id": it.message.id, "user": it.user, "kind": it.kind }))
        }
        Event::ReactionRemoved(it) => {
            ("reaction_removed", json!({ "message_id": it.message.id, "user": it.user, "kind": it.kind }))
        }
        Event::CopiesDeleted { user, messages } => {
            let spans: Vec<_> = messages.iter().collect();
            ("copies_deleted", json!({ "user": user, "seqs": spans }))
        }
        Event::ConversationPinned { user, on } => {
            ("conversation_pinned", json!({ "user": user, "pinned": on }))
        }
        Event::ConversationCreated { title, direct, members } => {
            ("conversation_created", json!({ "title": title, "direct": direct, "members": members }))
        }
        Event::ConversationUpdated(changes) => ("conversation_updated", json!(changes)),
        Event::ConversationDeleted => ("conversation_deleted", json!({})),
        Event::MembersAdded { members, how, .. } => {
            ("members_added", json!({ "members": members, "how": how }))
        }
        Event::MembersRemoved { members, how, .. } => {
            ("members_removed", json!({ "members": members, "how": how }))
        }
        Event::RoleChanged { user, role } => ("role_changed", json!({ "user": user, "role": role })),
        Event::Banned { user, motive, until, member } => (
            "user_banned",
            json!({
                "user": user, "motive": motive, "until": until.map(domain::Timestamp::to_iso), "member": member,
            }),
        ),
        Event::Unbanned { user, motive } => ("user_unbanned", json!({ "user": user, "motive": motive })),
        Event::Notice(notice) => ("notice", json!(notice)),
    }
}

fn of_message(reference: &Reference) -> Value {
    json!({
        "message_id": reference.id, "author": reference.author,
        "parent_id": reference.parent.as_ref().map(|parent| &parent.id),
    })
}
