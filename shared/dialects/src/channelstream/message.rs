//! The payload of a message, and what Channelstream alone must say again of it.

use domain::{
    Message, Object, UserId,
    message::{Audience, Content},
};
use serde_json::Value;

use super::time;

/// Keys under which [`Content::wire`] keeps what no other dialect shows.
mod key {
    /// The author's name as an edit changed it.
    pub(super) const USER: &str = "u";
    /// The time as the application spelled it.
    pub(super) const TIMESTAMP: &str = "t";
    /// The time of the edit as the application spelled it, …
    pub(super) const EDITED: &str = "e";
    /// … and the edit's entry.
    pub(super) const EDIT: &str = "n";
    /// To whom, and not to whom, where the application said it in another order, or twice.
    pub(super) const ONLY: &str = "o";
    pub(super) const EXCEPT: &str = "x";
    /// There is no payload, not even an empty one.
    pub(super) const NONE: &str = "none";
}

/// Puts a payload into a message's content.
pub fn set_payload(content: &mut Content, payload: Option<Object>) {
    content.wire.remove(key::NONE);
    let Some(mut payload) = payload else {
        content.wire.insert(key::NONE.to_owned(), Value::Bool(true));
        return;
    };
    // A text that is no text is a key like any other.
    content.text = match payload.remove("text") {
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            payload.insert("text".to_owned(), other);
            None
        }
        None => None,
    };
    content.payload = payload;
}

/// The payload of a message; none if it never had one.
#[must_use]
pub fn payload(content: &Content) -> Option<Object> {
    if content.wire.contains_key(key::NONE) && content.text.is_none() && content.payload.is_empty() {
        return None;
    }
    let mut payload = content.payload.clone();
    if let Some(text) = &content.text {
        payload.insert("text".to_owned(), Value::String(text.clone()));
    }
    Some(payload)
}

/// Keeps a time as the application spelled it.
pub fn set_timestamp(content: &mut Content, timestamp: Option<&str>) {
    if let Some(timestamp) = timestamp {
        content.claimed_at = time::moment(timestamp);
        content.wire.insert(key::TIMESTAMP.to_owned(), timestamp.into());
    }
}

/// Keeps the lists of users as the application spelled them.
pub fn set_lists(content: &mut Content, pm_users: &[String], exclude_users: &[String]) {
    for (key, users) in [(key::ONLY, pm_users), (key::EXCEPT, exclude_users)] {
        if !users.is_sorted_by(|one, next| one < next) {
            content.wire.insert(key.to_owned(), users.into());
        }
    }
}

/// To whom, and not to whom, as the application spelled it.
#[must_use]
pub fn lists(message: &Message) -> [Value; 2] {
    let audience = &message.audience;
    [(key::ONLY, &audience.only), (key::EXCEPT, &audience.except)].map(|(key, users)| {
        let sorted = || users.iter().map(|user| Value::from(user.as_str())).collect();
        message.content.wire.get(key).cloned().unwrap_or_else(sorted)
    })
}

/// Keeps the author's name as an edit changes it.
pub fn set_user(content: &mut Content, user: Option<&str>) {
    if let Some(user) = user {
        content.wire.insert(key::USER.to_owned(), user.into());
    }
}

/// Keeps the time of the edit at the entry `seq` as the application spelled it.
pub fn set_edited(content: &mut Content, edited: Option<&str>, seq: domain::Seq) {
    if let Some(edited) = edited {
        content.wire.insert(key::EDITED.to_owned(), edited.into());
        content.wire.insert(key::EDIT.to_owned(), seq.0.into());
    }
}

/// Who wrote it, as Channelstream says.
#[must_use]
pub fn user(message: &Message) -> &str {
    message.content.wire.get(key::USER).and_then(Value::as_str).unwrap_or(message.author.as_str())
}

/// When, as Channelstream says.
#[must_use]
pub fn timestamp(message: &Message) -> String {
    let given = message.content.wire.get(key::TIMESTAMP).and_then(Value::as_str);
    given.map_or_else(|| time::naive(message.created_at()), str::to_owned)
}

/// When it was edited, as Channelstream says.
#[must_use]
pub fn edited(message: &Message) -> Option<String> {
    let edit = message.state.edited?;
    let wire = &message.content.wire;
    let given = wire.get(key::EDITED).and_then(Value::as_str);
    let given = given.filter(|_| wire.get(key::EDIT).and_then(Value::as_u64) == Some(edit.seq.0));
    Some(given.map_or_else(|| time::naive(edit.at), str::to_owned))
}

/// Who is to get a message.
#[must_use]
pub fn audience(pm_users: &[String], exclude_users: &[String]) -> Audience {
    let set = |users: &[String]| users.iter().map(UserId::trusted).collect();
    Audience { only: set(pm_users), except: set(exclude_users) }
}

/// Whether a user gets what goes to this audience. Its author, too, gets only what the rule says.
#[must_use]
pub fn reaches(audience: &Audience, user: &UserId) -> bool {
    !audience.except.contains(user) && (audience.only.is_empty() || audience.only.contains(user))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_payload_comes_back_as_it_was() {
        for value in [json!({}), json!({"text": "a", "b": [1]}), json!({"text": 5}), json!({"text": null})] {
            let mut content = Content::default();
            set_payload(&mut content, value.as_object().cloned());
            assert_eq!(payload(&content).map(Value::Object), Some(value));
        }
        let mut content = Content::default();
        set_payload(&mut content, None);
        assert_eq!(payload(&content), None);
        content.text = Some("another dialect's edit".into());
        assert!(payload(&content).is_some());
    }
}
