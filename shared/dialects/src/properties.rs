//! What holds of every dialect's words for whatever values: what is written can be read, and reads the same; and
//! what is written is JSON.

use domain::{MessageId, Number, Object, Place, Seq, Timestamp, Topic, message::Content};
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Value, json};

use crate::{
    channels::{event, topic},
    channelstream::{event as stream, message, schema, signature, time},
    events::{attachment::Handle, multipart},
    nkchat::{
        event::{Event, Selector, Telling, telling},
        frame::{self, Frame},
        id,
    },
};

/// JSON of any shape, not too deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn object() -> impl Strategy<Value = Object> {
    prop::collection::btree_map("text|channel|type|uuid|.{0,6}", value(), 0..5)
        .prop_map(|map| map.into_iter().collect())
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..253_402_300_800_000).prop_map(Timestamp::from_millis)
}

/// A word that a client may choose, with what JSON has to escape.
fn word() -> impl Strategy<Value = String> {
    "[ -~é\"\\\\\u{0}-\u{1f}\u{2028}\u{1F600}]{0,20}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_signature_is_its_texts_and_its_secrets(text in ".{0,40}", secret in ".{0,20}", other in ".{0,20}", at in moment(), flip: prop::sample::Index) {
        let signed = signature::sign(&text, &secret, at);
        prop_assert!(signature::is_valid(&signed, &secret, at));
        prop_assert!(signature::is_valid(&signed, &secret, at.plus_seconds(signature::MAX_AGE_SECONDS)));
        prop_assert!(!signature::is_valid(&signed, &secret, at.plus_seconds(signature::MAX_AGE_SECONDS + 1)));
        prop_assert_eq!(signature::is_valid(&signed, &other, at), other == secret);
        // No character of it can be another one. (The last has bits that mean nothing: the original's too.)
        let mut characters: Vec<char> = signed.chars().collect();
        let index = flip.index(characters.len() - 1);
        characters[index] = if characters[index] == 'A' { 'B' } else { 'A' };
        prop_assert!(!signature::is_valid(&characters.into_iter().collect::<String>(), &secret, at));
    }

    #[test]
    fn a_payload_comes_back_as_it_was(payload in option::of(object())) {
        let mut content = Content::default();
        message::set_payload(&mut content, payload.clone());
        prop_assert_eq!(message::payload(&content), payload);
    }

    #[test]
    fn a_time_is_said_back_once_and_for_all(text in "[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?") {
        if let Some(said) = time::given(&text) {
            prop_assert_eq!(time::given(&said), Some(said.clone()));
            prop_assert!(time::moment(&said).is_some(), "{}", said);
        }
    }

    #[test]
    fn the_times_we_say_can_be_read(at in moment()) {
        prop_assert_eq!(time::moment(&time::naive(at)), Some(at));
        prop_assert!(time::given(&time::naive(at)).is_some());
    }

    #[test]
    fn frames_of_channelstream_are_arrays_of_all_events_in_order(events in vec(object(), 0..40)) {
        let frames = stream::frames(&events, false);
        let mut told = Vec::new();
        for frame in &frames {
            let Value::Array(some) = serde_json::from_slice(frame).unwrap() else { panic!("no array") };
            prop_assert!(!some.is_empty());
            told.extend(some);
        }
        prop_assert_eq!(told, events.into_iter().map(Value::from).collect::<Vec<_>>());
    }

    #[test]
    fn a_uuid_is_said_in_one_way(text in "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}") {
        if let Some(uuid) = schema::uuid_of(&text) {
            prop_assert_eq!(schema::uuid_of(&uuid), Some(uuid.clone()));
            prop_assert_eq!(uuid.replace('-', ""), text.replace('-', "").to_lowercase());
        }
    }

    #[test]
    fn frames_of_channels_are_json_that_says_what_was_said(kind in word(), data in value(), at in moment(), position in option::of((any::<u64>(), word()))) {
        let place = position.as_ref().map(|(seq, epoch)| event::Position { seq: *seq, epoch });
        let read: Value = serde_json::from_slice(&event::frame(&kind, at, &data, place)).unwrap();
        prop_assert_eq!(&read["type"], &json!(kind));
        prop_assert_eq!(&read["data"], &data);
        prop_assert_eq!(Timestamp::from_iso(read["timestamp"].as_str().unwrap()), Some(at));
        let said = position.map(|(seq, epoch)| (json!(seq), json!(epoch)));
        prop_assert_eq!(read.get("seq").cloned().zip(read.get("epoch").cloned()), said);
    }

    #[test]
    fn a_topic_is_read_as_it_is_spelled(id in "[^\\p{Cc}]{1,30}") {
        let spelled = |topic: &Topic| match topic {
            Topic::Conversation(id) => format!("channel:{id}"),
            Topic::User(id) => format!("user:{id}"),
            Topic::Global => "global".to_owned(),
        };
        for text in [format!("channel:{id}"), format!("user:{id}"), id] {
            if let Ok(topic) = topic::parse(&text) {
                prop_assert_eq!(spelled(&topic), text);
            }
        }
    }

    #[test]
    fn a_command_is_read_as_it_is_written(class in word(), subclass in word(), cmd in word(), data in object(), tid in prop_oneof![any::<i64>().prop_map(Value::from), word().prop_map(Value::from)]) {
        let text = json!({"class": class, "subclass": subclass, "cmd": cmd, "data": data, "tid": tid}).to_string();
        let read = frame::parse(&text, false);
        let own: frame::Tid = serde_json::from_value(tid.clone()).unwrap();
        if class == "event" {
            prop_assert_eq!(read, Ok(Frame::Event));
        } else {
            let request = frame::Request { class, subclass, cmd, data: Some(data.clone()), tid: own.clone() };
            prop_assert_eq!(read, Ok(Frame::Request(request)));
        }
        let done: Value = serde_json::from_str(&frame::ok(Some(&own), Some(data.clone().into()))).unwrap();
        prop_assert_eq!((&done["tid"], &done["result"]), (&tid, &json!("ok")));
        prop_assert_eq!(done.get("data").cloned().unwrap_or(json!({})), Value::from(data));
        prop_assert_eq!(frame::parse(&frame::ack(&own), false), Ok(Frame::Ack { tid: own }));
    }

    #[test]
    fn no_text_makes_reading_a_frame_panic(text in "\\PC{0,60}", deep: bool) {
        let _ = frame::parse(&text, deep);
        let _ = frame::parse_rpc(text.as_bytes(), deep);
    }

    #[test]
    fn an_event_of_nkchat_is_a_frame_of_it(class in word(), subclass in word(), kind in word(), obj_id in word(), body in object(), added in object()) {
        let event = Event { class, subclass, kind: kind.clone(), obj_id, body: body.clone() };
        let text = event.encode(&Telling { kind, added: added.clone() });
        prop_assert_eq!(frame::parse(&text, false), Ok(Frame::Event));
        // The event's own keys win.
        let mut whole = added;
        whole.extend(body);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read["data"].get("body").cloned().unwrap_or(json!({})), Value::from(whole));
        prop_assert_eq!(telling(&[], &event), None);
        let of_class = Selector {
            class: event.class.clone(),
            subclass: String::new(),
            kind: String::new(),
            obj_id: String::new(),
            body: Object::new(),
        };
        prop_assert_eq!(telling(&[of_class], &event).map(|it| it.kind), Some(event.kind));
    }

    #[test]
    fn a_session_carries_its_connection(connection in "[A-Za-z0-9_=-]{0,24}", random: [u8; 20]) {
        match id::session(&connection, random) {
            Some(session) => {
                prop_assert_eq!(session.len(), 27);
                prop_assert_eq!(id::connection(&session), Some(connection));
            }
            None => prop_assert!(connection.len() > 19),
        }
    }

    #[test]
    fn base62_keeps_the_order_of_what_it_writes(one: [u8; 20], other: [u8; 20]) {
        prop_assert_eq!(id::base62(one).cmp(&id::base62(other)), one.cmp(&other));
    }

    #[test]
    fn a_handle_is_a_number_and_comes_back(number in 0_u64..1 << 26, seq in 0_u64..1 << 27, index in 0_u64..20, packed: u64) {
        let handle = Handle { place: Place { number: Number(number), seq: Seq(seq) }, index };
        if let Some(packed) = handle.packed() {
            prop_assert!(packed < 1 << 53);
            prop_assert_eq!(Handle::unpacked(packed), Some(handle));
        } else {
            prop_assert!(number >= 1 << 24 || seq >= 1 << 25 || index >= 16);
        }
        prop_assert!(Handle::unpacked(packed).is_none_or(|handle| handle.packed() == Some(packed)));
    }

    #[test]
    fn the_files_of_a_form_are_the_bytes_that_were_put_in(
        boundary in "[A-Za-z0-9'+_./:=?-]{1,70}",
        parts in vec((any::<bool>(), "[^\"\\p{Cc}/\\\\%;]{0,20}", vec(any::<u8>(), 0..60)), 0..4),
    ) {
        let delimiter = format!("--{boundary}");
        prop_assume!(!parts.iter().any(|(_, _, bytes)| {
            let text = [b"\r\n", bytes.as_slice(), b"\r\n"].concat();
            text.windows(delimiter.len()).any(|window| window == delimiter.as_bytes())
        }));
        let mut body = Vec::new();
        for (ours, name, bytes) in &parts {
            let field = if *ours { "files" } else { "other" };
            body.extend(format!("{delimiter}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n").bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("{delimiter}--\r\n").bytes());
        let found = multipart::files(&format!("multipart/form-data; boundary=\"{boundary}\""), &body, "files");
        let put: Vec<&[u8]> = parts.iter().filter(|(ours, ..)| *ours).map(|(.., bytes)| bytes.as_slice()).collect();
        match found {
            Ok(files) => prop_assert_eq!(files.iter().map(|file| file.bytes).collect::<Vec<_>>(), put),
            Err(error) => prop_assert!(put.is_empty(), "{:?}", error),
        }
    }

    #[test]
    fn no_bytes_make_reading_a_form_panic(body in vec(prop_oneof![Just(b"--x".to_vec()), Just(b"\r\n".to_vec()), Just(b"Content-Disposition: form-data; name=files".to_vec()), vec(any::<u8>(), 0..4)], 0..12)) {
        let _ = multipart::files("multipart/form-data; boundary=x", &body.concat(), "files");
    }

    #[test]
    fn the_words_of_channelize_come_back(word in word()) {
        use crate::channelize::{conversation, message};
        if let Some(kind) = message::kind_of(&word) {
            prop_assert_eq!(message::kind(kind), word.as_str());
        }
        if let Some(visibility) = conversation::kind_of(&word) {
            prop_assert_eq!(conversation::kind_of(conversation::kind(visibility)), Some(visibility));
        }
        let id = MessageId::trusted(word.as_str());
        prop_assert!(id.place().is_none());
    }
}
