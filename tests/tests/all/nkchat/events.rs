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
    for cmd in ["add_members", "remove_members"] {
        let unsorted = json!({"conversation_id": id, "user_ids": ["eve", "cat", "dan"]});
        rpc(&server, "conversation", cmd, unsorted).await;
        let body = &plain.events(&server).await[0]["body"];
        assert_eq!(body["user_ids"], json!(["eve", "cat", "dan"]), "as sent");
    }
    assert_eq!(types(&heard), ["created", "added_memebers", "removed_memebers"]);
    assert_eq!(heard[1]["body"], json!({"user_ids": ["bob", "ann"]}));
    let twice = |one: &'static str, other: &'static str| [one, other, one, other];
    assert_eq!(types(&seeds.events(&server).await), twice("added_memebers", "removed_memebers"));
    assert_eq!(types(&servers.events(&server).await), twice("added_members", "removed_members"));
    server.end().await;
}

#[tokio::test]
async fn fields_that_nobody_knows_are_told_also_of_a_login() {
    let server = Server::start().await;
    rpc(&server, "user", "create", json!({"login": "b@c", "name": "Bob", "password": "p"})).await;
    let mut bob = Client::open(&server).await;
    let login = json!({"user": "b@c", "password": "p", "colour": "red"});
    assert_eq!(bob.ask("core", "user", "login", login).await["result"], "ok");
    let told = bob.take(|frame| frame["data"]["type"] == "unrecognized_fields").await;
    let body = json!({"class": "core", "subclass": "user", "cmd": "login", "fields": ["colour"]});
    assert_eq!(told["data"]["body"], body);
    bob.ask("core", "user", "list", json!({"colour": "red"})).await;
    let told = bob.take(|frame| frame["data"]["type"] == "unrecognized_fields").await;
    assert_eq!(told["data"]["body"]["cmd"], "list");
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
    let mut own = Client::open(&server).await;
    own.ask("core", "user", "login", json!({"user": "b@c", "password": "p"})).await;
    rpc(&server, "user", "delete", json!({"user_id": id})).await;
    assert_eq!(own.closed().await, 1000);
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

#[tokio::test]
async fn events_of_a_user_and_of_a_session_reach_them_and_admins_who_want_them() {
    let server = Server::start().await;
    let new = json!({"login": "bob@c", "name": "Bob", "password": "p"});
    let made = rpc(&server, "user", "create", new).await;
    let mut bob = Client::open(&server).await;
    let login = bob.ask("core", "user", "login", json!({"user": "bob@c", "password": "p"})).await;
    let session = login["data"]["session_id"].clone();
    let ping = bob.take(|frame| frame["cmd"] == "ping").await;
    bob.send(&json!({"result": "ok", "tid": ping["tid"]}).to_string()).await;
    let mut root = Client::login(&server, "root", true).await;
    let mut eve = Client::login(&server, "eve", false).await;
    let (mut by_name, mut by_session, mut any) = (
        Client::login(&server, "a", true).await,
        Client::login(&server, "b", true).await,
        Client::login(&server, "c", true).await,
    );
    let bobs = json!({"class": "core", "subclass": "user_event", "obj_id": "bob@c"});
    let sessions = json!({"class": "core", "subclass": "session_event", "obj_id": session});
    by_name.subscribe(bobs.clone()).await;
    by_name
        .subscribe(json!({"class": "core", "subclass": "user_event", "obj_id": "bob@c", "type": "t"}))
        .await;
    by_session.subscribe(sessions.clone()).await;
    any.subscribe(json!({"class": "core"})).await;
    // What is others' business is not heard, however it is asked for.
    for selector in [&bobs, &sessions, &json!({"class": "*"}), &json!({"class": "core"})] {
        eve.subscribe(selector.clone()).await;
    }
    let of_user =
        |obj_id: &Value| json!({"class": "core", "subclass": "user_event", "type": "t", "obj_id": obj_id});
    let of_session = json!({"class": "core", "subclass": "session_event", "type": "t", "obj_id": session});
    let of_app = json!({"class": "core", "subclass": "news", "type": "t"});
    let (by_login, by_id) = (json!("bob@c"), made["user_id"].clone());
    let named_by_id = json!({"user": by_id, "type": "t"});
    let none = json!({"class": "core", "subclass": "session_event", "obj_id": "nobody"});
    for (subclass, cmd, data) in [
        ("event", "send", of_user(&by_login)),
        ("user", "send_event", json!({"user": "bob@c", "type": "t"})),
        ("user", "send_event", named_by_id),
        ("event", "send", of_session.clone()),
        ("session", "send_event", json!({"session_id": session, "type": "t"})),
        ("event", "send", of_app.clone()),
        ("event", "send", of_user(&json!("nobody"))),
        ("event", "send", none),
    ] {
        let done = root.ask("core", subclass, cmd, data.clone()).await;
        assert_eq!(done, json!({"result": "ok"}), "{subclass}/{cmd} {data}");
    }
    let (user, both) = (of_user(&by_login), [of_session.clone(), of_session]);
    let thrice = [user.clone(), user.clone(), user.clone()];
    assert_eq!(bob.events(&server).await, [&thrice[..], &both].concat());
    assert_eq!(by_name.events(&server).await, thrice);
    assert_eq!(by_session.events(&server).await, both);
    let nobodys = [of_app.clone(), of_user(&json!("nobody"))];
    // Whoever names no user hears the name that the command said.
    let heard = any.events(&server).await;
    assert_eq!(heard, [&[user.clone(), user.clone(), of_user(&by_id)], &both[..], &nobodys].concat());
    assert_eq!(eve.events(&server).await, [of_app]);
    assert!(root.events(&server).await.is_empty());
    // Unsubscribed is unheard.
    by_name.ask("core", "event", "unsubscribe", bobs.clone()).await;
    let but_one = json!({"class": "core", "subclass": "user_event", "obj_id": "bob@c", "type": "t"});
    root.ask("core", "event", "send", user.clone()).await;
    for hearing in [&mut by_name, &mut bob] {
        assert_eq!(hearing.events(&server).await, std::slice::from_ref(&user));
    }
    by_name.ask("core", "event", "unsubscribe", but_one).await;
    bob.ask("core", "event", "unsubscribe", bobs).await;
    root.ask("core", "event", "send", user).await;
    assert!(by_name.events(&server).await.is_empty() && bob.events(&server).await.is_empty());
    server.end().await;
}
