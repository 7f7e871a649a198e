//! Pure functions of bytes. What is read is written and read again, and must be the same.

use dialects::{
    channels::topic,
    channelstream::{order, request, schema, signature, time},
    events::{attachment::Handle, multipart},
    nkchat::{
        event::Selector,
        fields::Fields,
        frame::{self, Frame},
        id, search,
    },
};
use domain::{MessageId, Place, Timestamp, Topic, UserId, ranges::Ranges};
use futures_util::FutureExt as _;
use handlers::{
    auth::{self, Claims},
    context::Secrets,
    json,
};
use serde_json::{Value, json, value::RawValue};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Who a token says that it is of, if it was signed with this key.
fn verified(token_key: &str, text: &str) -> Option<(UserId, Claims)> {
    let secrets = Secrets { server: String::new(), token_key: token_key.to_owned(), issuer: None };
    // Nobody has to be asked for keys.
    auth::verify(&secrets, text, NOW).now_or_never().expect("it waits for nobody").ok()
}

/// User tokens, and Channelstream's signature: nothing that was not signed is taken.
pub fn token(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert!(verified("a key that nobody guesses", &text).is_none());
    assert!(!signature::is_valid(&text, "a secret that nobody guesses", NOW));
    assert!(signature::is_valid(&signature::sign(&text, "secret", NOW), "secret", NOW));
    // A key that everybody knows: what is signed with it may be anything.
    if let Some((user, claims)) = verified("", &text) {
        assert_eq!(user.as_str(), claims.sub);
        assert!(claims.exp > NOW.seconds());
    }
}

/// A form: a line with its content type, and its body.
pub fn multipart(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (kind, body) = data.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let Ok(files) = multipart::files(&String::from_utf8_lossy(kind), body, "files") else { return };
    assert!(!files.is_empty());
    assert!(files.iter().map(|file| file.bytes.len()).sum::<usize>() <= body.len());
    for file in files {
        assert!(!file.name.is_empty() && !file.name.contains(['/', '\\']));
        assert!(!file.name.chars().any(char::is_control) && file.mime_type.is_ascii());
    }
}

/// A frame of nkchat's socket, and the body of its RPC.
pub fn nkchat_frame(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let deep = json::is_deep(&text);
    let _ = frame::parse_rpc(data, deep);
    let Ok(Frame::Request(request)) = frame::parse(&text, deep) else { return };
    let Some(data) = request.data.clone() else { return };
    let written = json!({
        "class": request.class, "subclass": request.subclass, "cmd": request.cmd, "data": data,
    });
    let written = frame::answer(written.as_object().cloned().unwrap_or_default(), Some(&request.tid));
    // With fields, even none, it would be an event of the client's own.
    if request.class != "event" {
        assert_eq!(frame::parse(&written, false), Ok(Frame::Request(request.clone())));
    }
    for answer in [frame::ok(Some(&request.tid), Some(data.clone().into())), frame::ack(&request.tid)] {
        serde_json::from_str::<&RawValue>(&answer).expect("an answer is JSON");
    }
    let _ = search::Search::parse(&mut Fields::new(data.clone()));
    let _ = serde_json::from_value::<Selector>(data.into());
}

/// A body of a Channelstream request, read as every one there is.
pub fn channelstream_body(data: &[u8]) {
    let _ = order::state_keys(data);
    let Ok(body) = json::parse::<Value>(data) else { return };
    let _ = request::settings(&body);
    let _ = request::channel_config(&body);
    let _ = request::connect(&body);
    let _ = request::subscribe(&body, body.get("conn_id").cloned(), true);
    let _ = request::user_state(&body, true);
    let _ = request::info(&body);
    let _ = request::disconnect(&body);
    let _ = schema::many(&body, request::edit);
    let _ = schema::many(&body, request::delete);
    let _ = schema::many(&body, request::message);
}

/// Ids that carry something, topics, ranges and times.
pub fn ids_and_times(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(id) = MessageId::parse(text.as_ref())
        && let Some((place, nonce)) = id.place()
    {
        assert_eq!(MessageId::mint(place, nonce).as_str(), text.to_lowercase());
    }
    if let Some(connection) = id::connection(&text) {
        assert!(id::session(&connection, [7; 20]).is_some());
    }
    if let Ok(topic) = topic::parse(&text) {
        assert_eq!(Topic::named(&topic.name()), Some(topic));
    }
    if let Some(said) = time::given(&text) {
        assert_eq!(time::given(&said).as_deref(), Some(said.as_str()));
        assert!(time::moment(&said).is_some(), "{said}");
    }
    if let Some(at) = Timestamp::from_iso(&text) {
        assert_eq!(Timestamp::from_iso(&at.to_iso()), Some(at));
    }
    if let Some(uuid) = schema::uuid_of(&text) {
        assert_eq!(schema::uuid_of(&uuid), Some(uuid));
    }
    if let Ok(ranges) = serde_json::from_value::<Ranges>(text.as_ref().into()) {
        let written = serde_json::to_value(&ranges).expect("ranges are a text");
        assert_eq!(serde_json::from_value::<Ranges>(written).ok(), Some(ranges));
    }
    if let Ok(bytes) = data.try_into() {
        let number = u64::from_le_bytes(bytes);
        assert!(Place::unpacked(number).is_none_or(|place| place.packed() == Some(number)));
        assert!(Handle::unpacked(number).is_none_or(|handle| handle.packed() == Some(number)));
    }
}
