//! What an ordinary session may do and find.

use serde_json::json;

use super::{Client, rpc};
use crate::harness::Server;

#[tokio::test]
async fn an_ordinary_session_writes_only_as_itself_and_makes_no_users() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "eve"]).await;
    let mut ann = Client::login(&server, "ann", false).await;
    let mut bob = Client::login(&server, "bob", false).await;
    let user = json!({"login": "x", "name": "X", "password": "p"});
    assert_eq!(ann.refused("user", "create", user).await, "unauthorized");
    assert_eq!(ann.refused("user", "delete", json!({"user_id": "bob"})).await, "unauthorized");
    for (subclass, cmd, data) in [
        ("event", "send", json!({"class": "chat"})),
        ("user", "send_event", json!({"user": "bob"})),
        ("session", "send_event", json!({"session_id": "x"})),
    ] {
        let answer = ann.ask("core", subclass, cmd, data).await;
        assert_eq!(answer["data"]["code"], "unauthorized", "{subclass}/{cmd}");
    }
    let list = bob.ask("core", "user", "list", json!({})).await;
    let stop = ann.ask("core", "session", "stop", json!({"session_id": list["data"]["bob"][0]})).await;
    assert_eq!(stop["data"]["code"], "unauthorized");
    let made = ann.chat("conversation", "create", json!({"name": "Team", "user_ids": ["bob"]})).await;
    let team = made["conversation_id"].clone();
    let as_bob = json!({"conversation_id": team, "user_id": "bob", "message": "I am Bob"});
    assert_eq!(ann.refused("message", "create", as_bob.clone()).await, "unauthorized");
    let add = json!({"conversation_id": team, "user_ids": ["eve"]});
    assert_eq!(bob.refused("conversation", "add_members", add).await, "unauthorized");
    // Who may not add is not told which users there are, nor who may not look in which conversations.
    let ghost = json!({"conversation_id": team, "user_ids": ["ghost"]});
    assert_eq!(bob.refused("conversation", "add_members", ghost.clone()).await, "unauthorized");
    assert_eq!(ann.refused("conversation", "add_members", ghost.clone()).await, "obj_not_found");
    let mut eve = Client::login(&server, "eve", false).await;
    for cmd in ["add_members", "remove_members"] {
        assert_eq!(eve.refused("conversation", cmd, ghost.clone()).await, "obj_not_found", "{cmd}");
    }
    let as_eve = json!({"conversation_id": team, "user_id": "eve", "message": "let me in"});
    for message in [as_eve, as_bob] {
        let nowhere = json!({"conversation_id": "nowhere", "user_id": "eve", "message": "x"});
        let there = eve.ask("chat", "message", "create", message).await;
        assert_eq!(there["data"]["code"], "obj_not_found");
        assert_eq!(there, eve.ask("chat", "message", "create", nowhere).await);
    }
    assert_eq!(bob.refused("conversation", "delete", json!({"conversation_id": team})).await, "unauthorized");
    bob.chat("conversation", "remove_members", json!({"conversation_id": team, "user_ids": ["bob"]})).await;
    let members = ann.chat("conversation", "get_members", json!({"conversation_id": team})).await;
    assert_eq!(members, json!({"user_ids": ["ann"]}));
    assert_eq!(bob.refused("conversation", "get", json!({"conversation_id": team})).await, "obj_not_found");
    server.end().await;
}

#[tokio::test]
async fn who_may_look_and_not_write_is_told_so() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let here = json!({"conversation_id": "lobby", "user_id": "ann", "message": "hello"});
    rpc(&server, "message", "create", here.clone()).await;
    let mut bob = Client::login(&server, "bob", false).await;
    assert_eq!(bob.refused("message", "create", here).await, "unauthorized");
    let own = json!({"conversation_id": "lobby", "user_id": "bob", "message": "hello"});
    bob.chat("message", "create", own.clone()).await;
    let ban = json!({"userIds": ["bob"]});
    server.server().post("/v2/conversations/lobby/ban", ban).await.expect(204);
    assert_eq!(bob.refused("message", "create", own).await, "obj_not_found");
    // Between two who see the conversation, one blocks the other.
    let first = json!({"userId": "bob", "body": "from ann"});
    let first = server.user("ann").post("/v2/messages/send", first).await.expect(201);
    let direct = first["conversationId"].clone();
    server.user("ann").post("/v2/users/block", json!({"userId": "bob"})).await.expect(204);
    let hello = json!({"conversation_id": direct, "user_id": "bob", "message": "hello"});
    assert_eq!(bob.refused("message", "create", hello).await, "unauthorized");
    server.end().await;
}

#[tokio::test]
async fn a_search_is_exact_and_finds_only_what_one_may_see() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let mut ann = Client::login(&server, "ann", false).await;
    let mut teams = Vec::new();
    for (name, users) in [("A", json!(["ann"])), ("B", json!(["bob"])), ("C", json!(["ann", "bob"]))] {
        let made = rpc(&server, "conversation", "create", json!({"name": name, "user_ids": users})).await;
        teams.push(made["conversation_id"].clone());
        for n in 0..12 {
            let text = format!("{name}{n}");
            let data = json!({"conversation_id": made["conversation_id"], "user_id": "bob", "message": text});
            rpc(&server, "message", "create", data).await;
        }
    }
    let own = ann.chat("conversation", "search", json!({"fields": ["name"], "sort_by": "name"})).await;
    assert_eq!(own["total"], 2);
    assert_eq!((&own["data"][0]["name"], &own["data"][1]["name"]), (&json!("A"), &json!("C")));
    let hidden = json!({"filter": {"conversation_id": teams[1]}});
    assert_eq!(ann.chat("conversation", "search", hidden.clone()).await, json!({"total": 0, "data": []}));
    assert_eq!(ann.chat("message", "search", hidden).await["total"], 0);
    let with_bob = json!({"filter": {"user_ids": "bob"}, "fields": "_all"});
    let found = ann.chat("conversation", "search", with_bob.clone()).await;
    assert_eq!((&found["total"], &found["data"][0]["user_ids"]), (&json!(1), &json!(["ann", "bob"])));
    assert_eq!(rpc(&server, "conversation", "search", with_bob).await["total"], 2);
    assert_eq!(rpc(&server, "conversation", "search", json!({"size": 0})).await["total"], 3);
    let page = json!({
        "filter": {"user_id": "bob"}, "fields": ["message"], "sort_by": ["message"], "sort_order": "desc",
        "from": 1, "size": 2
    });
    let found = ann.chat("message", "search", page).await;
    assert_eq!(found["total"], 24);
    assert_eq!((&found["data"][0]["message"], &found["data"][1]["message"]), (&json!("C8"), &json!("C7")));
    let one = ann.chat("message", "search", json!({"filter": {"message": "A3"}})).await;
    assert_eq!(one["total"], 1);
    let id = one["data"][0]["_id"].clone();
    assert_eq!(ann.chat("message", "search", json!({"filter": {"_id": id}})).await["total"], 1);
    rpc(&server, "message", "delete", json!({"conversation_id": teams[0], "message_id": id})).await;
    assert_eq!(ann.chat("message", "search", json!({"filter": {"_id": id}})).await["total"], 0);
    let here = ann.chat("message", "search", json!({"filter": {"conversation_id": teams[0]}})).await;
    assert_eq!((&here["total"], here["data"].as_array().unwrap().len()), (&json!(11), 10));
    let users = ann.chat("user", "search", json!({"filter": {"name": "bob"}, "fields": ["name"]})).await;
    assert_eq!(users, json!({"total": 1, "data": [{"_id": "bob", "name": "bob"}]}));
    server.end().await;
}
