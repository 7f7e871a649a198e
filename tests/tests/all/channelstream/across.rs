//! The same conversation in several dialects.

use serde_json::json;

use super::{heard, listen, send, signed};
use crate::harness::Server;

#[tokio::test]
async fn a_message_is_listed_by_channelize_and_heard_on_the_events_socket() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let team = server.make_conversation("private", &["ann", "bob"]).await;
    let mut events = server.listen("bob").await;
    server.heard(&mut events).await;
    let echo =
        send(&server, json!({"channel": team, "user": "ann", "message": {"text": "hi", "k": 1}})).await;
    let listed = server.user("bob").messages(&team).await;
    assert_eq!(listed[0]["id"], echo["uuid"]);
    assert_eq!(listed[0]["body"], "hi");
    assert_eq!(listed[0]["ownerId"], "ann");
    let told = server.heard(&mut events).await;
    assert!(told.iter().any(|frame| frame.to_string().contains("\"hi\"")), "{told:?}");
    // Not kept in histories, but told.
    send(&server, json!({"channel": team, "user": "ann", "no_history": true, "message": {"text": "psst"}}))
        .await;
    assert_eq!(server.user("bob").texts(&team).await, ["hi"]);
    let told = server.heard(&mut events).await;
    assert!(told.iter().any(|frame| frame.to_string().contains("psst")), "{told:?}");
    server.end().await;
}

#[tokio::test]
async fn an_author_who_is_excluded_hears_nothing_and_reads_it_in_the_history() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let team = server.make_conversation("private", &["ann", "bob"]).await;
    let (mut ann, mut bob) = (server.listen("ann").await, server.listen("bob").await);
    server.heard(&mut ann).await;
    server.heard(&mut bob).await;
    let whisper =
        json!({"channel": team, "user": "ann", "exclude_users": ["ann"], "message": {"text": "hi"}});
    send(&server, whisper.clone()).await;
    assert!(server.heard(&mut ann).await.is_empty());
    let told = server.heard(&mut bob).await;
    assert_eq!(told[0]["type"], "TextMessagesCreated", "{told:?}");
    assert_eq!(server.user("ann").texts(&team).await, ["hi"]);
    let room = server.number(&team).await.0;
    let read = server.user("ann").get(&format!("/api/v1/rooms/{room}/messages")).await.expect(200);
    assert_eq!(read["messages"][0]["text"], "hi");
    // She hears of the room again with what follows, and what others are left out of.
    let mut without_bob = whisper;
    without_bob["exclude_users"] = json!(["bob"]);
    send(&server, without_bob).await;
    assert!(server.heard(&mut bob).await.is_empty());
    let told = server.heard(&mut ann).await;
    assert_eq!(told[0]["type"], "TextMessagesCreated", "{told:?}");
    server.end().await;
}

#[tokio::test]
async fn a_channelize_message_reaches_a_listener_and_no_stranger() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "eve"]).await;
    let team = server.make_conversation("private", &["ann", "bob"]).await;
    let mut bob = listen(&server, "bob", &[&team]).await;
    let strange = super::connect(&server, "eve", &[&team], json!({})).await;
    assert_eq!(strange["channels"], json!([]));
    let mut eve = super::open(&server, "eve", strange["conn_id"].as_str().unwrap()).await;
    let id = server.user("ann").send(&team, "hello").await;
    let told = heard(&server, &mut bob).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["uuid"], id.as_str());
    assert_eq!(told[0]["message"], json!({"text": "hello"}));
    assert_eq!((&told[0]["user"], &told[0]["type"]), (&json!("ann"), &json!("message")));
    assert!(heard(&server, &mut eve).await.is_empty());
    // Deleted for everyone there is deleted here.
    let body = json!({"messageIds": [id]});
    server.user("ann").post("/v2/messages/delete_for_everyone", body).await.expect(200);
    let told = heard(&server, &mut bob).await;
    assert_eq!(told, [json!({"channel": team, "uuid": id, "type": "message:delete"})]);
    server.end().await;
}

#[tokio::test]
async fn the_keys_of_a_payload_survive_an_edit_of_another_dialect_s() {
    use domain::{Dialect, MessageId, UserId};
    use handlers::{auth::Caller, operations::messages};
    let server = Server::start().await;
    let mut bob = listen(&server, "bob", &["room"]).await;
    let echo =
        send(&server, json!({"channel": "room", "user": "ann", "message": {"text": "1", "k": [2]}})).await;
    heard(&server, &mut bob).await;
    let caller = Caller { user: UserId::parse("ann").ok(), powerful: false, server: false };
    let id = MessageId::parse(echo["uuid"].as_str().unwrap()).unwrap();
    let edit = |content: &mut domain::message::Content| content.text = Some("2".to_owned());
    messages::edit(&server.running.context, &caller, Dialect::Events, &id, edit).await.unwrap();
    let told = heard(&server, &mut bob).await;
    assert_eq!(told[0]["type"], "message:edit");
    assert_eq!(told[0]["message"], json!({"text": "2", "k": [2]}));
    server.end().await;
}

#[tokio::test]
async fn a_batch_of_a_hundred_is_one_append_and_one_bad_element_rejects_all() {
    let server = Server::start().await;
    let mut bob = listen(&server, "bob", &["room"]).await;
    let message = |n: usize| json!({"channel": "room", "user": "ann", "message": {"text": n.to_string()}});
    let batch: Vec<_> = (0..100).map(message).collect();
    let echoes = signed(&server).post("/message", json!(batch)).await.expect(200);
    assert_eq!(echoes.as_array().unwrap().len(), 100);
    let told = heard(&server, &mut bob).await;
    let texts: Vec<_> =
        told.iter().map(|event| event["message"]["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    let bad = json!([message(1), {"channel": "room"}]);
    let refused = signed(&server).post("/message", bad).await.expect(422);
    assert_eq!(refused, json!({"1": {"user": ["Missing data for required field."]}}));
    assert!(heard(&server, &mut bob).await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn what_stands_in_no_history_is_listed_where_it_is_forwarded_to() {
    let server = Server::start().await;
    listen(&server, "ann", &["room"]).await.socket.close().await;
    server.make_users(&["bob", "cat"]).await;
    let team = server.make_conversation("private", &["cat", "bob"]).await;
    let unlisted = json!({
        "channel": "room", "user": "ann", "message": {"text": "once"}, "no_history": true,
        "exclude_users": ["z", "y"],
    });
    let echo = send(&server, unlisted).await;
    let body = json!({"messageIds": [echo["uuid"]], "conversationIds": [team]});
    server.acting_for("cat").post("/v2/messages/forward", body).await.expect(204);
    let copy = server.user("bob").messages(&team).await.remove(0);
    assert_eq!((&copy["body"], &copy["originalMessageId"]), (&json!("once"), &echo["uuid"]));
    // Nor is it silent, or spelled as another dialect spelled the first one.
    let id = domain::MessageId::parse(copy["id"].as_str().unwrap()).unwrap();
    let (_, kept) = server.running.context.store.message(&id, true).await.unwrap().unwrap();
    assert!(kept.content.wire.is_empty() && kept.audience.is_everybody(), "{kept:?}");
    let silent = json!({"events": {"updateUnreadCount": false}});
    let cat = server.user("cat");
    let silent = cat.send_with(&team, "silent", silent).await;
    let unread = async || -> serde_json::Value {
        server.user("bob").get("/v2/messages/unread/count").await.expect(200)["count"].clone()
    };
    let before = unread().await;
    let body = json!({"messageIds": [silent], "conversationIds": [team]});
    cat.post("/v2/messages/forward", body).await.expect(204);
    assert_eq!(unread().await.as_u64(), before.as_u64().map(|count| count + 1));
    server.end().await;
}
