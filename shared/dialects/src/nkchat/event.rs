//! Events: what is told of, what a session wants to hear, and the frame that tells it.

use domain::{ConversationId, Dialect, Entry, Event as Happened, Object, UserId, entry::Arrival};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The class of everything that is about users and conversations.
pub const CHAT: &str = "chat";
/// The class of what is about sessions, and of what they tell one another.
pub const CORE: &str = "core";
/// The subclass of what is about one user: its sessions are subscribed to it.
pub const USER_EVENT: &str = "user_event";
/// The subclass of what is about one session, which is subscribed to it.
pub const SESSION_EVENT: &str = "session_event";
/// The seed's spelling, which an event has unless a subscription spelled it otherwise.
const ADDED: &str = "added_memebers";
/// The seed's spelling.
const REMOVED: &str = "removed_memebers";

/// Something that sessions are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `chat`, …
    pub class: String,
    /// `user`, …; empty: none.
    pub subclass: String,
    /// `created`, …; empty: none.
    pub kind: String,
    /// What it is about; empty: nothing.
    pub obj_id: String,
    /// What more there is to say.
    pub body: Object,
}

/// What a session wants to hear. Empty: anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// The class.
    #[serde(rename = "c", default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The subclass.
    #[serde(rename = "s", default, skip_serializing_if = "String::is_empty")]
    pub subclass: String,
    /// The type.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// What it is about.
    #[serde(rename = "o", default, skip_serializing_if = "String::is_empty")]
    pub obj_id: String,
    /// What is added to the body of what is heard by it.
    #[serde(rename = "b", default, skip_serializing_if = "Object::is_empty")]
    pub body: Object,
}

impl Selector {
    /// Whether it lets the event through.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let any = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        any(&self.class, &event.class)
            && any(&self.subclass, &event.subclass)
            && (self.kind.is_empty()
                || spelled_the_seeds_way(&self.kind) == spelled_the_seeds_way(&event.kind))
            && any(&self.obj_id, &event.obj_id)
    }

    /// Whether it is the same selection, whatever it adds.
    #[must_use]
    pub fn selects_as(&self, other: &Self) -> bool {
        (&self.class, &self.subclass, &self.kind, &self.obj_id)
            == (&other.class, &other.subclass, &other.kind, &other.obj_id)
    }

    /// As `get_subscriptions` lists it.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "class": self.class, "subclass": self.subclass, "type": self.kind, "obj_id": self.obj_id,
            "service": "chat", "body": self.body,
        })
    }
}

/// The README says `memebers`, the server said `members`: the two are the same.
fn spelled_the_seeds_way(kind: &str) -> &str {
    match kind {
        "added_members" => ADDED,
        "removed_members" => REMOVED,
        other => other,
    }
}

/// How an event is told to a session: once, however many of its subscriptions let it through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// Its type, as a subscription that names it spelled it.
    pub kind: String,
    /// What the subscriptions add to its body.
    pub added: Object,
}

/// How the event is told to a session with these subscriptions; none if it is not.
#[must_use]
pub fn telling(subscriptions: &[Selector], event: &Event) -> Option<Telling> {
    let matching: Vec<&Selector> = subscriptions.iter().filter(|one| one.matches(event)).collect();
    if matching.is_empty() {
        return None;
    }
    let named = matching.iter().find(|one| !one.kind.is_empty());
    let kind = named.map_or_else(|| event.kind.clone(), |one| one.kind.clone());
    let mut added = Object::new();
    for one in matching {
        added.extend(one.body.clone());
    }
    Some(Telling { kind, added })
}

impl Event {
    /// An event of class `core`.
    #[must_use]
    pub fn core(subclass: &str, kind: &str, obj_id: &str, body: Object) -> Self {
        Self { class: CORE.into(), subclass: subclass.into(), kind: kind.into(), obj_id: obj_id.into(), body }
    }

    /// The frame that tells it. What is empty is left out; the event's own body wins over what is added.
    #[must_use]
    pub fn encode(&self, telling: &Telling) -> String {
        let mut data = Object::new();
        data.insert("class".into(), self.class.clone().into());
        for (name, value) in [("subclass", &self.subclass), ("type", &telling.kind), ("obj_id", &self.obj_id)]
        {
            if !value.is_empty() {
                data.insert(name.into(), value.clone().into());
            }
        }
        let mut body = telling.added.clone();
        body.extend(self.body.clone());
        if !body.is_empty() {
            data.insert("body".into(), body.into());
        }
        json!({ "class": "event", "data": data }).to_string()
    }
}

/// What sessions are told when a user came into being, or is gone.
#[must_use]
pub fn of_user(user: &UserId, created: bool) -> Event {
    let (class, subclass) = (CHAT.to_owned(), "user".to_owned());
    let kind = if created { "created" } else { "deleted" }.to_owned();
    Event { class, subclass, kind, obj_id: user.to_string(), body: Object::new() }
}

/// What sessions are told of an entry; nothing of what the dialect has no word for.
#[must_use]
pub fn of_entry(entry: &Entry, conversation: &ConversationId) -> Option<Event> {
    let in_conversation = |kind: &str, body: Value| {
        let Value::Object(body) = body else { return None };
        let (class, subclass) = (CHAT.to_owned(), "conversation".to_owned());
        Some(Event { class, subclass, kind: kind.into(), obj_id: conversation.to_string(), body })
    };
    match &entry.event {
        Happened::MessageCreated(message) => {
            in_conversation("created_message", json!({ "message_id": message.id }))
        }
        Happened::MessageEdited(it) => in_conversation("updated_message", json!({ "message_id": it.id })),
        Happened::MessageRecalled(it) => in_conversation("deleted_message", json!({ "message_id": it.id })),
        // Whatever this dialect makes by its own command has a name: this one was made by being written to.
        Happened::ConversationCreated { title: None, .. } if entry.dialect == Dialect::Nkchat => None,
        Happened::ConversationCreated { .. } => in_conversation("created", json!({})),
        Happened::ConversationDeleted => in_conversation("deleted", json!({})),
        Happened::MembersAdded { how: Arrival::Founded, .. } => None,
        Happened::MembersAdded { members, named, .. } => {
            in_conversation(ADDED, json!({ "user_ids": as_named(members, named) }))
        }
        Happened::MembersRemoved { members, named, .. } => {
            in_conversation(REMOVED, json!({ "user_ids": as_named(members, named) }))
        }
        Happened::Banned { user, member: true, .. } => {
            in_conversation(REMOVED, json!({ "user_ids": [user] }))
        }
        Happened::CopiesDeleted { .. }
        | Happened::ConversationPinned { .. }
        | Happened::ReactionAdded(_)
        | Happened::ReactionRemoved(_)
        | Happened::MessagePinned(_)
        | Happened::MessageUnpinned(_)
        | Happened::ConversationUpdated(_)
        | Happened::RoleChanged { .. }
        | Happened::Banned { member: false, .. }
        | Happened::Unbanned { .. }
        | Happened::Notice(_) => None,
    }
}

fn as_named<'a>(members: &'a [UserId], named: &'a [UserId]) -> &'a [UserId] {
    if named.is_empty() { members } else { named }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(value: Value) -> Selector {
        serde_json::from_value(value).unwrap()
    }

    fn added() -> Event {
        let Value::Object(body) = json!({"user_ids": ["a"]}) else { panic!() };
        Event {
            class: CHAT.into(),
            subclass: "conversation".into(),
            kind: ADDED.into(),
            obj_id: "c".into(),
            body,
        }
    }

    #[test]
    fn a_type_is_spelled_as_the_subscription_spelled_it() {
        let told = |selectors: &[Selector]| telling(selectors, &added()).map(|telling| telling.kind);
        assert_eq!(told(&[selector(json!({"c": "chat"}))]).as_deref(), Some("added_memebers"));
        assert_eq!(
            told(&[selector(json!({"c": "chat", "t": "added_members"}))]).as_deref(),
            Some("added_members")
        );
        assert_eq!(told(&[selector(json!({"c": "chat", "t": "removed_members"}))]), None);
        assert_eq!(told(&[selector(json!({"c": "chat", "o": "other"}))]), None);
        assert_eq!(told(&[selector(json!({"c": "core"}))]), None);
    }

    #[test]
    fn one_copy_has_what_all_subscriptions_add_and_the_event_wins() {
        let all = [
            selector(json!({"c": "chat", "b": {"k": 1, "user_ids": "mine"}})),
            selector(json!({"c": "chat", "s": "conversation", "b": {"l": 2}})),
        ];
        let telling = telling(&all, &added()).unwrap();
        let frame: Value = serde_json::from_str(&added().encode(&telling)).unwrap();
        assert_eq!(frame["data"]["body"], json!({"k": 1, "l": 2, "user_ids": ["a"]}));
    }
}
