//! What sessions hear: once, spelled as they asked for it, and only what their users may see.

use serde_json::{Value, json};

use super::{Client, rpc};
use crate::harness::Server;

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_comes_once_and_is_spelled_as_it_was_asked_for() {
    let server = Server::start().await;
    let mut plain = Client::login(&server, "plain", true).await;
    plain.subscribe(json!({"class": "chat"})).await;
    plain.subscribe(json!({"class": "chat", "subclass": "conversation"})).await;
    let mut seeds = Client::login(&server, "seeds", true).await;
    let spelled = json!(["added_memebers", "removed_memebers"]);
    seeds.subscribe(json!({"class": "chat", "subclass": "conversation", "type": spelled})).await;
    let mut servers = Client::login(&server, "servers", true).await;
    servers.subscribe(json!({"class": "chat", "type": ["added_members", "removed_members"]})).await;
    let made = rpc(&server, "conversation", "create", json!({"name": "Team", "user_ids": ["ann"]})).await;
    let id = &made["conversation_id"];
    rpc(&server, "conversation", "add_members", json!({"conversation_id": id, "user_ids": ["bob", "ann"]}))
        .await;
    rpc(&server, "conversation", "remove_members", json!({"conversation_id": id, "user_ids": ["bob"]})).await;
    let heard = plain.events(&server).await;
    assert_eq!(types(&heard), ["created", "added_memebers", "removed_memebers"]);
    assert_eq!(heard[1]["body"], json!({"user_ids": ["bob", "ann"]}));
    assert_eq!(types(&seeds.events(&server).await), ["added_memebers", "removed_memebers"]);
    assert_eq!(types(&servers.events(&server).await), ["added_members", "removed_members"]);
    server.end().await;
}

#[tokio::test]
async fn a_session_has_a_hundred_subscriptions_at_most() {
    let server = Server::start().await;
    let mut ann = Client::login(&server, "ann", false).await;
    let kinds = |from: usize, to: usize| -> Value { (from..to).map(|n| json!(format!("t{n}"))).collect() };
    // Two are the session's own from the beginning.
    ann.subscribe(json!({"class": "app", "type": kinds(0, 98)})).await;
    let one_more = json!({"class": "app", "type": kinds(98, 99)});
    let refused = ann.ask("core", "event", "subscribe", one_more.clone()).await;
    let data = json!({"code": "conflict", "error": "A session has at most 100 subscriptions."});
    assert_eq!(refused, json!({"result": "error", "data": data}));
    // Again is no more; and one less makes room.
    ann.subscribe(json!({"class": "app", "type": kinds(0, 98)})).await;
    let one_less = ann.ask("core", "event", "unsubscribe", json!({"class": "app", "type": "t0"})).await;
    assert_eq!(one_less, json!({"result": "ok"}));
    ann.subscribe(one_more).await;
    server.end().await;
}

#[tokio::test]
async fn an_ordinary_session_hears_what_its_user_may_see_until_a_ban_made_elsewhere() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "eve"]).await;
    let team = server.make_conversation("private", &["ann", "bob"]).await;
    let mut bob = Client::login(&server, "bob", false).await;
    bob.subscribe(json!({"class": "chat"})).await;
    let mut eve = Client::login(&server, "eve", false).await;
    eve.subscribe(json!({"class": "chat"})).await;
    eve.subscribe(json!({"class": "chat", "subclass": "conversation", "obj_id": team})).await;
    let message = server.user("ann").send(&team, "hello").await;
    let heard = bob.events(&server).await;
    assert_eq!(
        heard,
        [json!({"class": "chat", "subclass": "conversation", "type": "created_message", "obj_id": team,
                "body": {"message_id": message}})]
    );
    let found = bob.chat("message", "get", json!({"message_id": message})).await;
    assert_eq!((&found["message"], &found["user_id"]), (&json!("hello"), &json!("ann")));
    let own =
        bob.chat("message", "create", json!({"conversation_id": team, "user_id": "bob", "message": "hi"}));
    let own = own.await["message_id"].clone();
    let data = json!({"conversation_id": team, "message_id": own, "message": "hi there"});
    bob.chat("message", "update", data).await;
    assert_eq!(server.user("ann").texts(&team).await, ["hello", "hi there"]);
    bob.chat("message", "delete", json!({"conversation_id": team, "message_id": own})).await;
    assert_eq!(types(&bob.events(&server).await), ["created_message", "updated_message", "deleted_message"]);
    let ban = json!({"userIds": ["bob"]});
    let banned = server.user("ann").post(&format!("/v2/conversations/{team}/ban"), ban).await;
    assert!(banned.status < 300, "{banned:?}");
    assert_eq!(types(&bob.events(&server).await), ["removed_memebers"]);
    server.user("ann").send(&team, "without bob").await;
    assert!(bob.events(&server).await.is_empty());
    assert_eq!(bob.refused("message", "get", json!({"message_id": message})).await, "obj_not_found");
    assert!(eve.events(&server).await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn an_open_conversation_is_heard_by_anybody_who_wants_to() {
    let server = Server::start().await;
    let mut wide = Client::login(&server, "wide", false).await;
    wide.subscribe(json!({"class": "chat"})).await;
    let mut near = Client::login(&server, "near", false).await;
    near.subscribe(json!({"class": "chat", "subclass": "conversation", "obj_id": "lobby"})).await;
    let message = json!({"conversation_id": "lobby", "user_id": "ann", "message": "hello"});
    rpc(&server, "message", "create", message).await;
    for client in [&mut wide, &mut near] {
        assert_eq!(types(&client.events(&server).await), ["created_message"]);
    }
    near.ask("core", "event", "unsubscribe", json!({"class": "chat"})).await;
    let selector = json!({"class": "chat", "subclass": "conversation", "obj_id": "lobby"});
    near.ask("core", "event", "unsubscribe", selector).await;
    let again = near.chat(
        "message",
        "create",
        json!({"conversation_id": "lobby", "user_id": "near", "message": "x"}),
    );
    again.await;
    assert!(near.events(&server).await.is_empty());
    assert_eq!(wide.events(&server).await.len(), 1);
    server.end().await;
}

#[tokio::test]
async fn users_that_come_and_go_are_told_of() {
    let server = Server::start().await;
    let mut ann = Client::login(&server, "ann", false).await;
    ann.subscribe(json!({"class": "chat", "subclass": "user"})).await;
    let made = rpc(&server, "user", "create", json!({"login": "b@c", "name": "Bob", "password": "p"})).await;
    let id = made["user_id"].clone();
    rpc(&server, "conversation", "create", json!({"name": "Team", "user_ids": [id, "ann"]})).await;
    rpc(&server, "user", "delete", json!({"user_id": id})).await;
    let heard = ann.events(&server).await;
    assert_eq!(types(&heard), ["created", "deleted"]);
    assert!(heard.iter().all(|event| event["obj_id"] == id));
    let mut bob = Client::open(&server).await;
    let refused = bob.ask("core", "user", "login", json!({"user": "b@c", "password": "p"})).await;
    assert_eq!(refused["data"]["code"], "unauthorized");
    let left = ann.chat("conversation", "search", json!({"fields": ["user_ids"]})).await;
    assert_eq!(left["data"][0]["user_ids"], json!(["ann"]));
    server.end().await;
}
