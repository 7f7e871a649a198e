//! Who comes into being in any dialect is told of in nkchat, and who is gone, too.

use serde_json::{Value, json};

use super::{Client, rpc};
use crate::{
    channelstream,
    harness::{Server, socket::Socket},
};

fn told(events: &[Value]) -> Vec<(&str, &str)> {
    let of_users = events.iter().filter(|event| event["subclass"] == "user");
    of_users.map(|event| (event["type"].as_str().unwrap(), event["obj_id"].as_str().unwrap())).collect()
}

async fn listener(server: &Server) -> Client {
    let mut nora = Client::login(server, "nora", false).await;
    nora.subscribe(json!({"class": "chat", "subclass": "user"})).await;
    nora
}

#[tokio::test]
async fn a_user_made_in_any_dialect_is_told_of_once() {
    let server = Server::start().await;
    let mut nora = listener(&server).await;
    server.make_user("ann").await;
    let guest = server.server().post("/v2/users/create_guest", json!({"displayName": "Guest"})).await;
    let guest = guest.expect(201)["id"].as_str().unwrap().to_owned();
    let heard = nora.events(&server).await;
    assert_eq!(told(&heard), [("created", "ann"), ("created", guest.as_str())]);
    assert_eq!(heard[0], json!({"class": "chat", "subclass": "user", "type": "created", "obj_id": "ann"}));
    // Who shows a token for the first time, and who is named by the application.
    server.user("bob").get("/channels").await.expect(200);
    server.user("bob").get("/v2/conversations").await.expect(200);
    server.acting_for("cat").get("/v2/conversations").await.expect(200);
    channelstream::connect(&server, "dan", &["room"], json!({})).await;
    let made = server.server().post("/v2/users", json!({"id": "bob", "displayName": "Bob"})).await;
    made.expect(201);
    let heard = nora.events(&server).await;
    assert_eq!(told(&heard), [("created", "bob"), ("created", "cat"), ("created", "dan")]);
    server.end().await;
}

#[tokio::test]
async fn in_nkchat_only_the_command_that_makes_a_user_tells_of_it() {
    let server = Server::start().await;
    let mut nora = listener(&server).await;
    Client::login(&server, "eve", false).await;
    let named = json!({"name": "Team", "user_ids": ["fay"]});
    rpc(&server, "conversation", "create", named).await;
    let said = json!({"conversation_id": "nowhere", "user_id": "gus", "message": "hello"});
    rpc(&server, "message", "create", said).await;
    assert_eq!(told(&nora.events(&server).await), []);
    // Until the application says who it is.
    server.make_user("fay").await;
    assert_eq!(told(&nora.events(&server).await), [("created", "fay")]);
    let new = json!({"login": "h@example.org", "name": "Hal", "password": "secret"});
    let hal = rpc(&server, "user", "create", new).await["user_id"].as_str().unwrap().to_owned();
    assert_eq!(told(&nora.events(&server).await), [("created", hal.as_str())]);
    // One whose login is taken was not made.
    let again = json!({"class": "chat", "subclass": "user", "cmd": "create",
        "data": {"login": "h@example.org", "name": "Hal", "password": "secret"}});
    let answer = server.server().post("/nkchat/rpc", again).await.expect(200);
    assert_eq!(answer["data"]["code"], "obj_already_exists");
    rpc(&server, "user", "delete", json!({"user_id": hal})).await;
    assert_eq!(told(&nora.events(&server).await), [("deleted", hal.as_str())]);
    server.end().await;
}

#[tokio::test]
async fn who_is_gone_has_no_connection_of_any_dialect() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let realtime = format!("ws://{}/realtime?token={}", server.running.address, server.token("ann"));
    let realtime = Socket::open("ann", &realtime).await.unwrap();
    let stream = server.listen("ann").await;
    let session = Client::login(&server, "ann", false).await;
    let listener = channelstream::listen(&server, "ann", &["room"]).await;
    let without_socket = channelstream::connect(&server, "ann", &["room"], json!({})).await;
    let mut bob = server.listen("bob").await;
    rpc(&server, "user", "delete", json!({"user_id": "ann"})).await;
    for (what, socket) in
        [("realtime", &realtime), ("the event stream", &stream), ("Channelstream", &listener.socket)]
    {
        socket.wait_until(what, |heard| heard.closed.is_some()).await;
    }
    assert_eq!(session.closed().await, 1000);
    server.forgotten("ann").await;
    server.settled().await;
    let now = domain::Timestamp::from_millis(server.clock.now());
    let store = &server.running.context.store;
    for id in [listener.id.as_str(), without_socket["conn_id"].as_str().unwrap()] {
        assert_eq!(store.listener(id, now).await.unwrap(), None);
    }
    // Nobody else's is closed, nor that of the next one of this id.
    server.make_user("ann").await;
    let room = server.make_conversation("private", &["bob", "ann"]).await;
    let mut next = server.listen("ann").await;
    server.user("bob").send(&room, "hello").await;
    assert!(!server.heard(&mut bob).await.is_empty());
    assert!(!server.heard(&mut next).await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn a_removal_told_late_ends_no_connection_of_the_next_one_of_that_id() {
    let server = Server::in_process().await;
    server.make_users(&["ann", "bob"]).await;
    rpc(&server, "user", "delete", json!({"user_id": "ann"})).await;
    let removal = server.news_of("ann").await;
    assert_eq!(removal.len(), 1);
    server.clock.step(1);
    server.make_user("ann").await;
    let mut next = server.listen("ann").await;
    let mut session = Client::login(&server, "ann", false).await;
    server.deliver_records(removal).await;
    let room = server.make_conversation("private", &["bob", "ann"]).await;
    server.user("bob").send(&room, "hello").await;
    assert!(!server.heard(&mut next).await.is_empty());
    // It is answered, so it is there.
    session.events(&server).await;
    server.end().await;
}
