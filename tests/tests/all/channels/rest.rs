//! The REST, through the front door.

use serde_json::{Value, json};

use super::{admin_token, channel, say};
use crate::harness::Server;

#[tokio::test]
async fn a_channel_is_made_found_changed_and_ended() {
    let server = Server::start().await;
    let ann = server.user("ann");
    let body = json!({"channel_name": "Tea", "description": "about tea", "visibility": "public"});
    let made = ann.post("/channels", body).await.expect(201);
    let id = made["channel_id"].as_str().unwrap().to_owned();
    let keys: Vec<&String> = made.as_object().unwrap().keys().collect();
    let expected = [
        "channel_id",
        "channel_name",
        "created_at",
        "description",
        "member_count",
        "updated_at",
        "visibility",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&made["member_count"], &made["visibility"]), (&json!(1), &json!("public")));
    // Anyone signed in may find what is not private, and join.
    let bob = server.user("bob");
    assert_eq!(bob.get(&format!("/channels/{id}")).await.expect(200), made);
    assert_eq!(bob.get("/channels").await.expect(200), json!({"data": [made], "next_cursor": null}));
    assert_eq!(bob.post(&format!("/channels/{id}/messages"), json!({"content": "x"})).await.status, 403);
    let joined = bob.post(&format!("/channels/{id}/members"), json!({})).await.expect(201);
    assert_eq!((&joined["user_id"], &joined["role"]), (&json!("bob"), &json!("member")));
    assert_eq!(
        bob.ask("PATCH", &format!("/channels/{id}"), Some(json!({"channel_name": "x"}))).await.status,
        403
    );
    let path = format!("/channels/{id}");
    let changed =
        ann.ask("PATCH", &path, Some(json!({"channel_name": "Coffee", "visibility": "private"}))).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["channel_name"], &changed["description"]), (&json!("Coffee"), &json!("about tea")));
    assert_eq!(server.user("eve").get(&path).await.status, 403);
    assert_eq!(server.user("eve").get("/channels").await.expect(200)["data"], json!([]));
    assert_eq!(bob.delete(&path).await.status, 403);
    ann.delete(&path).await.expect(204);
    ann.delete(&path).await.expect(204);
    assert_eq!(ann.get(&path).await.status, 404);
    assert_eq!(bob.delete(&path).await.status, 404);
    server.end().await;
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob", "cat"]).await;
    let ann = server.user("ann");
    for n in 1..=5 {
        say(&ann, &id, &n.to_string()).await;
    }
    let read = async |path: &str, field: &str| {
        let mut cursor = String::new();
        let mut seen: Vec<Vec<Value>> = Vec::new();
        loop {
            let page = ann.get(&format!("{path}?limit=2{cursor}")).await.expect(200);
            seen.push(page["data"].as_array().unwrap().iter().map(|one| one[field].clone()).collect());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return json!(seen),
            }
        }
    };
    let messages = read(&format!("/channels/{id}/messages"), "content").await;
    assert_eq!(messages, json!([["5", "4"], ["3", "2"], ["1"]]));
    let members = read(&format!("/channels/{id}/members"), "user_id").await;
    assert_eq!(members, json!([["cat", "bob"], ["ann"]]));
    for wrong in ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor="] {
        let problem = ann.get(&format!("/channels/{id}/messages?{wrong}")).await.expect(400);
        assert_eq!(problem["code"], "invalid_request", "{wrong}");
    }
    server.end().await;
}

#[tokio::test]
async fn messages_are_edited_replied_to_and_taken_back() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob", "cat"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let first = say(&bob, &id, "one").await;
    let path = format!("/channels/{id}/messages/{first}");
    assert_eq!(ann.ask("PATCH", &path, Some(json!({"content": "x"}))).await.status, 403);
    let edited = bob.ask("PATCH", &path, Some(json!({"content": "two"}))).await.expect(200);
    assert_eq!((&edited["content"], &edited["username"]), (&json!("two"), &json!("bob")));
    let reply = ann.post(&format!("{path}/replies"), json!({"content": "three"})).await.expect(201);
    assert_eq!(reply["parent_message_id"], json!(first));
    let replies = bob.get(&format!("{path}/replies")).await.expect(200);
    assert_eq!(replies, json!({"data": [reply], "next_cursor": null}));
    // Somebody else's is for moderators to take back; again is no error.
    assert_eq!(server.user("cat").delete(&path).await.status, 403);
    ann.delete(&path).await.expect(204);
    ann.delete(&path).await.expect(204);
    let left = bob.get(&format!("/channels/{id}/messages")).await.expect(200);
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
    assert_eq!(bob.ask("PATCH", &path, Some(json!({"content": "x"}))).await.status, 404);
    // A message is found in its own channel only.
    let other = channel(&server, "private", "ann", &[]).await;
    let reply_id = reply["message_id"].as_str().unwrap();
    assert_eq!(ann.delete(&format!("/channels/{other}/messages/{reply_id}")).await.status, 404);
    server.end().await;
}

#[tokio::test]
async fn moderators_ban_and_kick_who_is_below_them() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob", "cat"]).await;
    let (ann, bob, cat) = (server.user("ann"), server.user("bob"), server.user("cat"));
    let at = |rest: &str| format!("/channels/{id}/{rest}");
    let ban = json!({"user_id": "cat", "motive": "spam"});
    assert_eq!(bob.post(&at("bans"), ban.clone()).await.status, 403);
    let role = json!({"role": "moderator"});
    let promoted = ann.ask("PATCH", &at("members/bob"), Some(role)).await.expect(200);
    assert_eq!(promoted["role"], "moderator");
    assert_eq!(ann.ask("PATCH", &at("members/bob"), Some(json!({"role": "king"}))).await.status, 400);
    let banned = bob.post(&at("bans"), ban).await.expect(201);
    assert_eq!(banned, json!({"user_id": "cat", "username": "cat", "motive": "spam"}));
    assert_eq!(bob.get(&at("bans")).await.expect(200), json!({"data": [banned], "next_cursor": null}));
    assert_eq!(cat.get(&at("bans")).await.status, 403);
    assert_eq!(cat.get(&at("messages")).await.status, 403);
    assert_eq!(cat.post(&at("members"), json!({})).await.status, 403);
    assert_eq!(cat.get("/channels").await.expect(200)["data"], json!([]));
    assert_eq!(bob.post(&at("bans"), json!({"user_id": "ann", "motive": ""})).await.status, 403);
    assert_eq!(bob.post(&at("bans"), json!({"user_id": "cat"})).await.status, 400);
    bob.delete(&at("bans/cat?motive=sorry")).await.expect(204);
    bob.delete(&at("bans/cat")).await.expect(204);
    assert_eq!(bob.delete(&at("bans/nobody")).await.status, 404);
    cat.post(&at("members"), json!({})).await.expect(201);
    let kicked = bob.post(&at("kicks"), json!({"user_id": "cat"})).await.expect(201);
    assert_eq!(kicked, json!({"channel_id": id, "user_id": "cat"}));
    assert_eq!(bob.post(&at("kicks"), json!({"user_id": "cat"})).await.status, 404);
    assert_eq!(bob.post(&at("kicks"), json!({"user_id": "ann"})).await.status, 403);
    cat.post(&at("members"), json!({})).await.expect(201);
    cat.delete(&at("members/cat")).await.expect(204);
    cat.delete(&at("members/cat")).await.expect(204);
    ann.delete(&at("members/bob")).await.expect(204);
    let chief =
        server.api(vec![("authorization".into(), format!("Bearer {}", admin_token(&server, "root")))]);
    chief.post(&at("members"), json!({"user_id": "bob"})).await.expect(201);
    server.end().await;
}

#[tokio::test]
async fn an_idempotency_key_does_a_thing_once() {
    let server = Server::in_process().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let path = format!("/channels/{id}/messages");
    let ann = server.user("ann").with("idempotency-key", "k1");
    let first = ann.post(&path, json!({"content": "once"})).await.expect(201);
    assert_eq!(ann.post(&path, json!({"content": "once"})).await.expect(201), first);
    assert_eq!(ann.post(&path, json!({"content": "twice"})).await.expect(409)["code"], "conflict");
    // A key is its caller's own.
    let bob = server.user("bob").with("idempotency-key", "k1");
    let other = bob.post(&path, json!({"content": "once"})).await.expect(201);
    assert_ne!(other["message_id"], first["message_id"]);
    let all = server.user("ann").get(&path).await.expect(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 2);
    // Also of what has no id of its own, and of what was refused.
    let made = server.user("ann").with("idempotency-key", "k2");
    let body = json!({"channel_name": "Once"});
    assert_eq!(
        made.post("/channels", body.clone()).await.expect(201),
        made.post("/channels", body).await.expect(201)
    );
    let refused = server.user("eve").with("idempotency-key", "k3");
    assert_eq!(refused.post(&path, json!({"content": "x"})).await.status, 403);
    assert_eq!(refused.post(&path, json!({"content": "x"})).await.status, 403);
    // A key of what was refused is free for what is right; then it is used.
    let mended = server.user("bob").with("idempotency-key", "k4");
    assert_eq!(mended.post(&path, json!({"content": 7})).await.status, 400);
    let done = mended.post(&path, json!({"content": "seven"})).await.expect(201);
    assert_eq!(mended.post(&path, json!({"content": "seven"})).await.expect(201), done);
    assert_eq!(mended.post(&path, json!({"content": 7})).await.status, 409);
    let empty = server.user("ann").with("idempotency-key", "");
    assert_eq!(empty.post(&path, json!({"content": "x"})).await.status, 400);
    // A day later the key is free again.
    server.clock.step(86_401_000);
    let later = server.user("ann").with("idempotency-key", "k1");
    assert_ne!(later.post(&path, json!({"content": "new"})).await.expect(201), first);
    server.end().await;
}

/// Where the log of a channel ends.
async fn tail(server: &Server, id: &str) -> u64 {
    let number = server.number(id).await;
    server.running.context.store.tail(number).await.unwrap().unwrap().place.seq.0
}

#[tokio::test]
async fn every_post_with_an_idempotency_key_is_done_once() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob", "cat"]).await;
    server.make_user("dan").await;
    let message = say(&server.user("ann"), &id, "hello").await;
    let at = |rest: &str| format!("/channels/{id}/{rest}");
    let posts = [
        (at("members"), json!({"user_id": "dan"}), 201, 1),
        (at("messages"), json!({"content": "once"}), 201, 1),
        (at(&format!("messages/{message}/replies")), json!({"content": "once"}), 201, 1),
        (at("kicks"), json!({"user_id": "bob"}), 201, 1),
        (at("bans"), json!({"user_id": "cat", "motive": "spam"}), 201, 1),
        (at("typing"), json!({"is_typing": true}), 204, 0),
    ];
    for (n, (path, body, status, entries)) in posts.into_iter().enumerate() {
        let ann = server.user("ann").with("idempotency-key", &format!("key {n}"));
        let before = tail(&server, &id).await;
        let first = ann.post(&path, body.clone()).await.expect(status);
        for _ in 0..2 {
            assert_eq!(ann.post(&path, body.clone()).await.expect(status), first, "{path}");
        }
        assert_eq!(tail(&server, &id).await, before + entries, "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn who_may_not_add_or_ban_is_not_told_which_users_there_are() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob"]).await;
    let at = |rest: &str| format!("/channels/{id}/{rest}");
    let v2 = |rest: &str| format!("/v2/conversations/{id}/{rest}");
    for ghost in ["ghost", "ann"] {
        let bob = server.user("bob");
        bob.post(&at("members"), json!({"user_id": ghost})).await.expect(403);
        bob.post(&at("bans"), json!({"user_id": ghost, "motive": ""})).await.expect(403);
        bob.post(&v2("add_members"), json!({"members": [ghost]})).await.expect(403);
        bob.post(&v2("ban"), json!({"userIds": [ghost]})).await.expect(403);
    }
    server.user("ann").post(&at("members"), json!({"user_id": "ghost"})).await.expect(404);
    server.user("ann").post(&at("bans"), json!({"user_id": "ghost", "motive": ""})).await.expect(404);
    // Of several users all are banned or none.
    let role = Some(json!({"role": "moderator"}));
    server.user("ann").ask("PATCH", &at("members/bob"), role).await.expect(200);
    server.make_user("cat").await;
    let both = json!({"userIds": ["cat", "ann"]});
    server.user("bob").post(&v2("ban"), both).await.expect(403);
    let bans = server.user("ann").get(&at("bans")).await.expect(200);
    assert_eq!(bans["data"], json!([]));
    server.end().await;
}

#[tokio::test]
async fn what_was_taken_back_gets_no_replies() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &[]).await;
    let ann = server.user("ann");
    let message = say(&ann, &id, "hello").await;
    let number = crate::harness::packed(server.number(&id).await.0, 2);
    let path = format!("/channels/{id}/messages/{message}");
    ann.delete(&path).await.expect(204);
    let before = tail(&server, &id).await;
    ann.post(&format!("{path}/replies"), json!({"content": "late"})).await.expect(404);
    ann.post(&format!("/api/v1/messages/{number}/comments"), json!({"content": "late"})).await.expect(404);
    let reply = json!({"conversationId": id, "body": "late", "parentId": message});
    ann.post("/v2/messages/send", reply).await.expect(404);
    assert_eq!(tail(&server, &id).await, before);
    server.end().await;
}

#[tokio::test]
async fn a_request_whose_worker_died_is_done_once() {
    let server = Server::in_process().await;
    let id = channel(&server, "private", "ann", &[]).await;
    let path = format!("/channels/{id}/messages");
    let ann = server.user("ann").with("idempotency-key", "k1");
    let first = ann.post(&path, json!({"content": "once"})).await.expect(201);
    // As if the answer had never been kept.
    let key = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    let update = server.running.items.update_item().table_name(&server.running.table);
    let update = update.key("pk", key("REQUEST#user:ann")).key("sk", key("k1"));
    update.update_expression("REMOVE c, x").send().await.unwrap();
    assert_eq!(ann.post(&path, json!({"content": "once"})).await.status, 409);
    server.clock.step(31_000);
    let again = ann.post(&path, json!({"content": "once"})).await.expect(201);
    assert_eq!(again["message_id"], first["message_id"]);
    server.end().await;
}

#[tokio::test]
async fn bad_requests_get_problem_json() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &[]).await;
    let ann = server.user("ann");
    let path = format!("/channels/{id}/messages");
    for (body, field) in [
        (json!({}), "content"),
        (json!({"content": 5}), "content"),
        (json!({"content": ""}), "content"),
        (json!([]), "body"),
    ] {
        let problem = ann.post(&path, body.clone()).await.expect(400);
        assert_eq!(problem["status"], 400, "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
    assert_eq!(
        ann.post(&path, json!({"content": "x".repeat(100_001)})).await.expect(413)["title"],
        "Content Too Large"
    );
    assert_eq!(ann.get("/channels/none").await.expect(404)["detail"], "Channel not found");
    assert_eq!(ann.get("/channels/a/b/c").await.expect(404)["code"], "not_found");
    assert_eq!(server.api(Vec::new()).get("/channels").await.expect(401)["code"], "unauthenticated");
    assert_eq!(
        server.api(vec![("authorization".into(), "Bearer x".into())]).get("/channels").await.status,
        401
    );
    let url = format!("http://{}{path}", server.running.address);
    let request = http::Request::post(url).header("authorization", format!("Bearer {}", server.token("ann")));
    let request = request.body(http_body_util::Full::from("{")).unwrap();
    let answer = crate::harness::http::client().request(request).await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    server.end().await;
}
