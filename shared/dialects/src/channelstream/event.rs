//! What listeners are told: frames, each an array of events; and the echoes of what was sent.
//!
//! An event has `catchup: false` when it is told live; one that was missed is told later with `catchup: true`.

use domain::{Message, Object, Timestamp, channel::UserState};
use serde_json::{Value, json};

use super::{message, order::Told, time};

/// The most bytes of a frame: API Gateway takes 128 KB.
const FRAME_BYTES: usize = 120_000;
/// The newest of so many events of a channel are caught up with, and of so many in none.
const CAUGHT_UP: (usize, usize) = (100, 50);
/// So many events get a frame each; each frame is a call of API Gateway's, for each connection.
const FRAMES_AT_ONCE: usize = 16;

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// A message.
#[must_use]
pub fn message(message: &Message, channel: Option<&str>) -> Object {
    let mut event = object(json!({
        "channel": channel,
        "uuid": message.id,
        "timestamp": message::timestamp(message),
        "user": message::user(message),
        "edited": message::edited(message),
        "catchup": false,
        "type": "message",
    }));
    if let Some(payload) = message::payload(&message.content) {
        event.insert("message".to_owned(), Value::Object(payload));
    }
    event
}

/// A message as a history shows it.
#[must_use]
pub fn history(of: &Message, channel: &str) -> Object {
    let mut event = self::message(of, Some(channel));
    let [pm_users, exclude_users] = message::lists(of);
    event.insert("pm_users".to_owned(), pm_users);
    event.insert("exclude_users".to_owned(), exclude_users);
    event.insert("no_history".to_owned(), Value::Bool(of.content.unlisted));
    event
}

/// An edit: `said` is what it said, `timestamp`, `user` and `message`, each only if it was said.
#[must_use]
pub fn edited(channel: Option<&str>, uuid: &str, said: &Object, at: Timestamp) -> Object {
    let mut event = said.clone();
    event.entry("edited").or_insert_with(|| time::naive(at).into());
    event.extend(object(json!({ "channel": channel, "uuid": uuid, "type": "message:edit" })));
    event
}

/// What an edit by another dialect says: all of the message.
#[must_use]
pub fn restated(of: &Message) -> Object {
    let mut said = object(json!({
        "timestamp": message::timestamp(of),
        "user": message::user(of),
        "message": message::payload(&of.content).unwrap_or_default(),
    }));
    if let Some(edited) = message::edited(of) {
        said.insert("edited".to_owned(), edited.into());
    }
    said
}

/// A deletion.
#[must_use]
pub fn deleted(channel: Option<&str>, uuid: &str) -> Object {
    object(json!({ "channel": channel, "uuid": uuid, "type": "message:delete" }))
}

/// Who is there, with what every listener may know of them.
#[must_use]
pub fn users<'a>(users: impl IntoIterator<Item = (&'a str, Object)>) -> Value {
    users.into_iter().map(|(user, state)| json!({ "user": user, "state": state })).collect()
}

/// Somebody came (with the public state) or went. `users` are those who are there then, where the channel says so.
#[must_use]
pub fn presence(
    uuid: &str,
    channel: &str,
    user: &str,
    joined: Option<&UserState>,
    users: &Value,
    at: Timestamp,
) -> Object {
    object(json!({
        "uuid": uuid,
        "type": "presence",
        "user": user,
        "users": users,
        "timestamp": time::naive(at),
        "channel": channel,
        "message": { "action": if joined.is_some() { "joined" } else { "parted" } },
        "state": joined.map(UserState::public),
        "catchup": false,
    }))
}

/// A user's state has changed.
#[must_use]
pub fn state_change(
    uuid: &str,
    channel: &str,
    user: &str,
    state: &UserState,
    changed: &[(String, Value)],
    at: Timestamp,
) -> Object {
    let public = state.public();
    let changed = changed.iter().filter(|(key, _)| public.contains_key(key));
    let changed: Vec<Value> = changed.map(|(key, value)| json!({ "key": key, "value": value })).collect();
    object(json!({
        "uuid": uuid,
        "type": "user_state_change",
        "user": user,
        "timestamp": time::naive(at),
        "catchup": false,
        "channel": channel,
        "message": { "state": public, "changed": changed },
    }))
}

/// The event as it is told to who missed it.
#[must_use]
pub fn missed(mut event: Object) -> Object {
    event.insert("catchup".to_owned(), Value::Bool(true));
    event
}

/// What was missed, as it is told at last: channel by channel, and then what came to the user in none. A message
/// shows what became of it meanwhile, and one that was deleted is left out. The newest of each, as the original keeps.
#[must_use]
pub fn settled(mut events: Vec<Object>) -> Vec<Object> {
    let channel = |event: &Object| event.get("channel").and_then(Value::as_str).map(str::to_owned);
    events.sort_by_key(|event| (channel(event).is_none(), channel(event)));
    let mut settled: Vec<Object> = Vec::with_capacity(events.len());
    for event in events {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let at = settled.iter().position(|earlier| {
            earlier.get("type").and_then(Value::as_str) == Some("message")
                && earlier.get("uuid") == event.get("uuid")
        });
        match (kind.as_str(), at) {
            ("message:edit", Some(at)) => {
                if let Some(earlier) = settled.get_mut(at) {
                    for key in ["timestamp", "user", "message", "edited"] {
                        if let Some(value) = event.get(key) {
                            earlier.insert(key.to_owned(), value.clone());
                        }
                    }
                }
            }
            ("message:delete", Some(at)) => {
                settled.remove(at);
            }
            _ => {}
        }
        settled.push(event);
    }
    let mut newest: Vec<Object> = Vec::with_capacity(settled.len());
    for of_one in settled.chunk_by(|one, next| channel(one) == channel(next)) {
        let in_channel = of_one.first().is_some_and(|event| channel(event).is_some());
        let most = if in_channel { CAUGHT_UP.0 } else { CAUGHT_UP.1 };
        newest.extend_from_slice(of_one.get(of_one.len().saturating_sub(most)..).unwrap_or_default());
    }
    newest
}

/// Frames of these events: one each, as the original does; many at once, or where `gathered` posts are wanted, share
/// frames as their size allows.
#[must_use]
pub fn frames<'a>(events: impl IntoIterator<Item = &'a Object>, gathered: bool) -> Vec<Vec<u8>> {
    let events: Vec<&Object> = events.into_iter().collect();
    let shared = gathered || events.len() > FRAMES_AT_ONCE;
    let mut frames: Vec<Vec<u8>> = Vec::with_capacity(events.len().min(FRAMES_AT_ONCE));
    for event in events {
        let Ok(text) = serde_json::to_vec(&Told(event)) else { continue };
        match frames.last_mut() {
            Some(frame) if shared && frame.len() + text.len() < FRAME_BYTES => {
                frame.push(b',');
                frame.extend(text);
            }
            _ => {
                let mut frame = Vec::with_capacity(text.len() + 2);
                frame.push(b'[');
                frame.extend(text);
                frames.push(frame);
            }
        }
    }
    for frame in &mut frames {
        frame.push(b']');
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_shows_what_became_of_it() {
        let event = |value| object(value);
        let message =
            |uuid| event(json!({"type": "message", "uuid": uuid, "user": "a", "message": {"text": "1"}}));
        let edit =
            event(json!({"type": "message:edit", "uuid": "x", "message": {"text": "2"}, "edited": "t"}));
        let delete = event(json!({"type": "message:delete", "uuid": "y"}));
        let settled = settled(vec![message("x"), message("y"), edit.clone(), delete.clone()]);
        let first = event(json!({
            "type": "message", "uuid": "x", "user": "a", "message": {"text": "2"}, "edited": "t"
        }));
        assert_eq!(settled, [first, edit, delete]);
    }

    #[test]
    fn the_newest_are_caught_up_with() {
        let event =
            |channel: Value, n: usize| object(json!({"type": "message", "uuid": n, "channel": channel}));
        let all =
            (0..150).flat_map(|n| [event("a".into(), n), event(Value::Null, n), event("b".into(), n + 150)]);
        let found = settled(all.collect());
        let of = |channel: Value, from: usize, to: usize| (from..to).map(move |n| event(channel.clone(), n));
        let newest: Vec<Object> = of("a".into(), 50, 150)
            .chain(of("b".into(), 200, 300))
            .chain(of(Value::Null, 100, 150))
            .collect();
        assert_eq!(found, newest);
    }

    #[test]
    fn an_event_has_its_frame_and_many_share_frames_that_take_as_many_as_fit() {
        let small = object(json!({"a": 1}));
        assert_eq!(frames([&small; 2], false), [br#"[{"a":1}]"#.to_vec(), br#"[{"a":1}]"#.to_vec()]);
        assert_eq!(frames([&small; 2], true), [br#"[{"a":1},{"a":1}]"#.to_vec()]);
        assert_eq!(frames([&small; FRAMES_AT_ONCE], false).len(), FRAMES_AT_ONCE);
        let shared = frames([&small; FRAMES_AT_ONCE + 1], false);
        assert_eq!(serde_json::from_slice::<Vec<Object>>(&shared[0]).unwrap().len(), FRAMES_AT_ONCE + 1);
        assert_eq!(shared.len(), 1);
        let large = object(json!({"a": "x".repeat(FRAME_BYTES - 100)}));
        assert_eq!(frames([&large; FRAMES_AT_ONCE + 1], false).len(), FRAMES_AT_ONCE + 1);
    }
}
