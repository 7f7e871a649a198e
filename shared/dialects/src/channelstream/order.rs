//! The order of keys, where somebody sees it: in the text of frames and echoes, and in the list of what has changed.
//!
//! The original says everything in the order in which it came to know it. What a message or a state is made of by
//! the application is sorted here.

use std::fmt;

use domain::Object;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::Value;

const MESSAGE: &[&str] = &[
    "pm_users",
    "exclude_users",
    "channel",
    "no_history",
    "uuid",
    "timestamp",
    "user",
    "message",
    "edited",
    "catchup",
    "type",
];
const EDIT: &[&str] = &["channel", "uuid", "timestamp", "user", "message", "edited", "type", "catchup"];
const PRESENCE: &[&str] =
    &["uuid", "type", "user", "users", "timestamp", "channel", "message", "state", "catchup"];
const STATE_CHANGE: &[&str] = &["uuid", "type", "user", "timestamp", "catchup", "channel", "message"];

/// The keys of an event, or of an echo, which has no type, in the original's order.
fn order(event: &Object) -> &'static [&'static str] {
    match event.get("type").and_then(Value::as_str) {
        Some("presence") => PRESENCE,
        Some("user_state_change") => STATE_CHANGE,
        Some("message:edit" | "message:delete") => EDIT,
        _ => MESSAGE,
    }
}

fn write<S: Serializer>(
    event: &Object,
    serializer: S,
    say: impl Fn(&str, &Value) -> Option<Value>,
) -> Result<S::Ok, S::Error> {
    let order = order(event);
    let known = order.iter().filter_map(|key| event.get_key_value(*key));
    let other = event.iter().filter(|(key, _)| !order.contains(&key.as_str()));
    let mut map = serializer.serialize_map(Some(event.len()))?;
    for (key, value) in known.chain(other) {
        match say(key, value) {
            Some(other) => map.serialize_entry(key, &other)?,
            None => map.serialize_entry(key, value)?,
        }
    }
    map.end()
}

/// An echo, or an element of a history.
#[derive(Debug, Clone, Default)]
pub struct Echo(pub Object);

impl Serialize for Echo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(&self.0, serializer, |_, _| None)
    }
}

/// An event as listeners get it: there the original spells UTC `Z`, and `+00:00` elsewhere.
#[derive(Debug)]
pub struct Told<'a>(pub &'a Object);

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0, serializer, |key, value| {
            let time = value.as_str().filter(|_| matches!(key, "timestamp" | "edited"))?;
            Some(format!("{}Z", time.strip_suffix("+00:00")?).into())
        })
    }
}

/// The keys of the new state in a `POST /user_state`, in the order in which they stand there.
#[must_use]
pub fn state_keys(body: &[u8]) -> Vec<String> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        user_state: Keys,
    }
    serde_json::from_slice::<Body>(body).unwrap_or_default().user_state.0
}

/// The keys of an object, in their order.
#[derive(Default)]
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Keys;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_told_in_the_original_s_order() {
        let event = json!({
            "catchup": true, "channel": null, "edited": null, "message": {}, "timestamp": "2010-01-01T01:01:00+00:00",
            "type": "message", "user": "a", "uuid": "u", "x": 1,
        });
        let event = event.as_object().cloned().unwrap();
        assert_eq!(
            serde_json::to_string(&Told(&event)).unwrap(),
            r#"{"channel":null,"uuid":"u","timestamp":"2010-01-01T01:01:00Z","user":"a","message":{},"edited":null,"catchup":true,"type":"message","x":1}"#
        );
        assert!(serde_json::to_string(&Echo(event)).unwrap().contains("+00:00"));
    }

    #[test]
    fn the_keys_of_a_state_keep_their_order() {
        assert_eq!(
            state_keys(br#"{"user": "a", "user_state": {"z": 1, "y": [2], "a": {}}}"#),
            ["z", "y", "a"]
        );
        assert!(state_keys(br#"{"user": "a", "user_state": null}"#).is_empty());
        assert!(state_keys(b"{}").is_empty());
    }
}
