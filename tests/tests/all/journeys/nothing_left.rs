//! A message that is refused leaves nothing behind: no conversation that nobody has said anything in.

use serde_json::{Value, json};

use crate::harness::{Server, http::Api};

/// How many conversations the user has.
async fn conversations(api: &Api) -> usize {
    api.get("/v2/conversations").await.expect(200).as_array().unwrap().len()
}

async fn block(server: &Server, by: &str, whom: &str) {
    server.user(by).post("/v2/users/block", json!({"userId": whom})).await.expect(204);
}

/// A text of a message that is just not refused, and of one that is.
const LARGE: usize = 99_980;
const TOO_LARGE: usize = 100_100;

#[tokio::test]
async fn a_refused_message_to_a_user_makes_no_conversation() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat", "dan"]).await;
    let group = server.make_conversation("private", &["ann", "cat"]).await;
    let ann = server.user("ann");
    ann.send_with(&group, "hello", json!({"id": "taken"})).await;
    block(&server, "ann", "bob").await;
    block(&server, "dan", "ann").await;
    let before = conversations(&ann).await;
    let to = |user: &str, more: Value| {
        let mut body = json!({"userId": user, "body": "hello"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, status) in [
        (to("bob", json!({})), 403),
        (to("dan", json!({})), 403),
        (to("cat", json!({"body": "x".repeat(TOO_LARGE)})), 400),
        (to("cat", json!({"parentId": "taken"})), 404),
        (to("cat", json!({"id": "taken"})), 400),
        (to("nobody", json!({})), 404),
        (to("ann", json!({})), 400),
    ] {
        let answer = ann.post("/v2/messages/send", body).await;
        let shown: String = answer.asked.chars().take(120).collect();
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        assert_eq!(conversations(&ann).await, before, "{shown}");
    }
    // The application's server makes nobody known by a message that is refused.
    let server_as_ann = server.acting_for("ann");
    server_as_ann.post("/v2/messages/send", to("eve", json!({"parentId": "taken"}))).await.expect(404);
    server.server().get("/v2/users/eve").await.expect(404);
    // What is not refused begins one, and is a repetition when it is said again.
    let first = ann.post("/v2/messages/send", to("cat", json!({"id": "mine"}))).await.expect(201);
    let again = ann.post("/v2/messages/send", to("cat", json!({"id": "mine"}))).await.expect(201);
    assert_eq!(first["conversationId"], again["conversationId"]);
    let reply = ann.post("/v2/messages/send", to("cat", json!({"parentId": "mine"}))).await.expect(201);
    assert_eq!(reply["conversationId"], first["conversationId"]);
    assert_eq!(conversations(&ann).await, before + 1);
    server.end().await;
}

#[tokio::test]
async fn of_several_targets_none_is_made_if_one_must_not_be_written_to() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat", "dan"]).await;
    let group = server.make_conversation("private", &["ann", "cat"]).await;
    let ann = server.user("ann");
    let large = ann.send(&group, &"x".repeat(LARGE)).await;
    let small = ann.send(&group, "small").await;
    block(&server, "bob", "ann").await;
    let before = conversations(&ann).await;
    let named = |users: Value| json!({"userIds": users, "conversationIds": [group]});
    let with = |users: Value, more: Value| {
        let mut body = named(users);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (users, status) in [(json!(["cat", "bob"]), 403), (json!(["cat", "nobody"]), 404)] {
        let body = with(users.clone(), json!({"body": "hello"}));
        ann.post("/v2/messages/broadcast", body).await.expect(status);
        let body = with(users, json!({"messageIds": [small]}));
        ann.post("/v2/messages/forward", body).await.expect(status);
        assert_eq!((conversations(&ann).await, ann.messages(&group).await.len()), (before, 2));
    }
    let body = with(json!(["cat", "dan"]), json!({"body": "x".repeat(TOO_LARGE)}));
    assert_eq!(ann.post("/v2/messages/broadcast", body).await.status, 400);
    // A copy names the first message: with that it is too large, and the small one is not forwarded either.
    let body = with(json!(["cat"]), json!({"messageIds": [small, large]}));
    ann.post("/v2/messages/forward", body).await.expect(400);
    assert_eq!((conversations(&ann).await, ann.messages(&group).await.len()), (before, 2));
    // Named twice, and as a user and as the conversation with that user: written to once.
    let body = json!({"userIds": ["cat", "cat"], "body": "first"});
    ann.post("/v2/messages/broadcast", body).await.expect(200);
    let direct = ann.get("/v2/conversations?isGroup=false").await.expect(200);
    let direct = direct[0]["id"].as_str().unwrap();
    let body = json!({"userIds": ["cat"], "conversationIds": [direct], "body": "second"});
    ann.post("/v2/messages/broadcast", body).await.expect(200);
    assert_eq!(ann.texts(direct).await, ["first", "second"]);
    server.end().await;
}
