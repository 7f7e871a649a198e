//! What the functions log, at its most talkative: whose call it is, and nothing that was said or that proves who
//! somebody is. Told by processes of the functions themselves.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use super::{in_processes, json_lines};
use crate::{
    channels::Realtime,
    channelstream,
    harness::{Server, http, secrets},
};

/// Words that stand nowhere but in what is said and in what proves something.
const SAID: &str = "marker-of-a-text";
const PASSWORD: &str = "marker-of-a-password";
const TITLE: &str = "marker-of-a-title";

/// Talks in all dialects, well and badly; says what must not be found in the log.
async fn talk(server: &Server) -> Vec<String> {
    server.make_users(&["ann", "bob"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let with_password =
        json!({"id": "eve", "displayName": "Eve", "email": "eve@example.org", "password": PASSWORD});
    server.server().post("/v2/users", with_password).await.expect(201);
    let login =
        |password: &str| json!({"authenticationType": 1, "email": "eve@example.org", "password": password});
    let session = ann.post("/v2/users/login", login(PASSWORD)).await.expect(200);
    ann.post("/v2/users/login", login(&format!("{PASSWORD}-wrong"))).await;
    ann.post("/api/v1/login", json!({"userName": "eve", "password": PASSWORD})).await;
    let body =
        json!({"id": "room", "title": TITLE, "type": "private", "isGroup": true, "members": ["ann", "bob"]});
    ann.post("/v2/conversations", body).await.expect(201);
    let mut socket = Realtime::open(server, "bob").await;
    socket.subscribe(&["channel:room"], json!(null)).await;
    let listening = server.listen("bob").await;
    ann.send("room", SAID).await;
    server.settled().await;
    socket.say(json!({"action": "typing", "channel_id": SAID, "is_typing": SAID})).await;
    socket.say(json!({"action": SAID})).await;
    bob.post("/channels/room/messages", json!({"content": {"wrong": SAID}})).await;
    bob.ask_raw("POST", "/channels/room/messages", format!("{{\"content\": \"{SAID}")).await;
    bob.ask_raw("POST", "/nkchat/rpc", format!("{{\"class\": \"chat\", \"data\": \"{SAID}\"}}")).await;
    let stream = json!([{"channel": "room", "user": "ann", "message": {"text": SAID}}]);
    channelstream::signed(server).post("/message", stream).await.expect(200);
    let other = "marker-of-another-secret";
    let stranger = server.api(vec![("authorization".to_owned(), http::basic(other))]);
    stranger.post("/v2/messages/send", json!({"conversationId": "room", "body": SAID})).await;
    let forged = format!("Bearer {}x", server.token("ann"));
    server.api(vec![("authorization".to_owned(), forged)]).get("/v2/conversations/room").await;
    server.settled().await;
    drop((socket, listening));
    let tokens = ["ann", "bob"].map(|user| server.token(user));
    let signatures = tokens.iter().map(|token| token.rsplit('.').next().unwrap().to_owned());
    let given =
        session.as_object().unwrap().values().filter_map(Value::as_str).filter(|text| text.len() > 40);
    let secrets =
        [SAID, PASSWORD, TITLE, other, &secrets().server, &secrets().token_key, &http::basic(other)[6..]];
    let secrets =
        secrets.into_iter().map(str::to_owned).chain([http::basic(&self::secrets().server)[6..].to_owned()]);
    secrets.chain(given.map(str::to_owned)).chain(signatures).collect()
}

#[tokio::test]
async fn nothing_that_was_said_and_no_secret_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = in_processes(folder.path()).await;
    let hidden = talk(&server).await;
    server.end().await;
    let text = std::fs::read_to_string(&log).unwrap();
    for secret in hidden {
        let line = text.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret:?} is in the log");
    }
    let lines = json_lines(&log);
    assert!(lines.iter().any(|line| line["level"] == "DEBUG"), "the functions said all that they can");
    for line in lines.iter().filter(|line| line.get("_aws").is_none()) {
        let call = &line["span"];
        assert!(call["requestId"].is_string() && call["function"].is_string(), "{line}");
        let with = |kind: &str| call["function"].as_str().unwrap().starts_with(kind);
        assert!(!with("channels-subscribe") || call["connection"].is_string(), "{line}");
    }
}

/// Puts something else in the place of an item's attribute.
async fn spoil(server: &Server, (pk, sk): (&str, &str), attribute: &str, text: String) {
    let update = server.running.items.update_item().table_name(&server.running.table);
    let key = |text: &str| AttributeValue::S(text.to_owned());
    let update = update.key("pk", key(pk)).key("sk", key(sk)).update_expression("SET #a = :x");
    let update = update.expression_attribute_names("#a", attribute);
    update.expression_attribute_values(":x", key(&text)).send().await.unwrap();
}

#[tokio::test]
async fn a_call_that_fails_says_whose_it_was_and_what_about() {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = in_processes(folder.path()).await;
    server.make_users(&["ann"]).await;
    let room = server.make_conversation("private", &["ann"]).await;
    let mut socket = Realtime::open(&server, "ann").await;
    server.settled().await;
    let id = domain::ConversationId::parse(room.as_str()).unwrap();
    let key = store::keys::conversation(&id);
    spoil(&server, (&key.pk, &key.sk), "x", json!({"id": id, "number": SAID}).to_string()).await;
    let asked = server.user("ann").get(&format!("/channels/{room}")).await;
    assert_eq!(asked.status, 500, "{asked:?}");
    socket.say(json!({"action": "subscribe", "channels": [format!("channel:{room}")]})).await;
    socket.until("error").await;
    server.end().await;

    assert!(!std::fs::read_to_string(&log).unwrap().contains(SAID), "what stands there is not told");
    let lines = json_lines(&log);
    let failed: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    let functions: BTreeSet<&str> =
        failed.iter().map(|line| line["span"]["function"].as_str().unwrap()).collect();
    assert_eq!(functions, BTreeSet::from(["channels-get-channel", "channels-subscribe"]), "{failed:?}");
    for line in failed {
        let call = &line["span"];
        assert_eq!([&call["dialect"], &call["conversation"]], ["channels", room.as_str()], "{line}");
        assert!(call["requestId"].is_string() && call["apiRequestId"].is_string(), "{line}");
        assert_eq!(call["connection"].is_string(), call["function"] == "channels-subscribe", "{line}");
    }
}
