//! Channelize where its SDK does not go: what is said of several at once, said again, or taken back twice.

use domain::{ConversationId, Timestamp, UserId};
use serde_json::{Value, json};

use crate::harness::{Server, http::Api};

/// A group of ann and bob with this id.
async fn group(server: &Server, id: &str, kind: &str) {
    let body = json!({"id": id, "title": id, "type": kind, "isGroup": true, "members": ["ann", "bob"]});
    server.user("ann").post("/v2/conversations", body).await.expect(201);
}

/// A server with ann and bob, who are together in a private group for each of these ids.
async fn groups(ids: &[&str]) -> Server {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    for id in ids {
        group(&server, id, "private").await;
    }
    server
}

async fn recall(api: &Api, ids: &[&String], status: u16) -> Value {
    api.post("/v2/messages/delete_for_everyone", json!({"messageIds": ids})).await.expect(status)
}

async fn delete(api: &Api, ids: &[&String], status: u16) -> Value {
    api.post("/v2/messages/delete", json!({"messageIds": ids})).await.expect(status)
}

#[tokio::test]
async fn members_are_listed_all_or_by_the_page() {
    let server = Server::start().await;
    let users: Vec<String> = (0..30).map(|n| format!("user-{n:02}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    server.make_users(&users).await;
    let room = server.make_conversation("private", &users).await;
    let api = server.user(users[0]);
    let path = format!("/v2/conversations/{room}/members");
    for (query, expected) in [
        ("", &users[..]),
        ("?skip=28", &users[28..]),
        ("?limit=2", &users[..2]),
        ("?limit=2&skip=3", &users[3..5]),
        ("?limit=200&skip=29", &users[29..]),
        ("?limit=1&skip=30", &[]),
    ] {
        let listed = api.get(&format!("{path}{query}")).await.expect(200);
        let ids: Vec<&str> =
            listed.as_array().unwrap().iter().map(|one| one["userId"].as_str().unwrap()).collect();
        assert_eq!(ids, expected, "{query}");
    }
    for wrong in ["limit=0", "limit=201", "limit=x", "limit=", "skip=-1", "skip=x", "skip=1000001"] {
        let refused = api.get(&format!("{path}?{wrong}")).await.expect(400);
        assert!(refused["error"]["message"].as_str().unwrap().contains(&wrong[..4]), "{wrong}: {refused}");
    }
    server.end().await;
}

#[tokio::test]
async fn who_deleted_the_own_copy_can_still_take_the_message_back() {
    let server = groups(&["team"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let id = ann.send("team", "oops").await;
    for _ in 0..2 {
        delete(&ann, &[&id], 204).await;
    }
    delete(&bob, &[&id], 204).await;
    recall(&bob, &[&id], 404).await;
    let kept = ann.send("team", "kept by bob").await;
    delete(&ann, &[&kept], 204).await;
    // Also what was taken back already.
    for _ in 0..2 {
        assert_eq!(recall(&ann, &[&kept], 200).await, json!([]));
    }
    let seen = bob.messages("team").await;
    assert_eq!((seen.len(), &seen[0]["id"], &seen[0]["isDeleted"]), (1, &json!(kept), &json!(true)));
    assert!(ann.messages("team").await.is_empty(), "the own copy stays deleted");
    server.end().await;
}

#[tokio::test]
async fn what_may_not_be_recalled_in_one_conversation_leaves_the_others_as_they_are() {
    let server = groups(&["first", "second"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let mut of = Vec::new();
    for room in ["first", "second"] {
        of.push((ann.send(room, "ann's").await, bob.send(room, "bob's").await));
    }
    recall(&ann, &[&of[0].0, &of[1].1], 403).await;
    recall(&ann, &[&of[1].0, &of[0].1], 403).await;
    // More than one transaction takes, and the last is not hers.
    let mut many = Vec::new();
    for n in 0..20 {
        many.push(ann.send("first", &n.to_string()).await);
    }
    let theirs = bob.send("first", "not ann's").await;
    recall(&ann, &many.iter().chain([&theirs]).collect::<Vec<_>>(), 403).await;
    for room in ["first", "second"] {
        let messages = ann.messages(room).await;
        assert!(messages.iter().all(|one| one["isDeleted"] == false), "{messages:?}");
    }
    // Who has nothing in one of them, has what is in the other.
    let unknown = "5a928b10-4258-11ea-9c07-831a487bf6af".to_owned();
    let all: Vec<&String> = many.iter().chain([&of[0].0, &of[1].0, &unknown]).collect();
    assert_eq!(recall(&ann, &all, 200).await, json!([]));
    for (room, left) in [("first", 2), ("second", 1)] {
        let messages = ann.messages(room).await;
        assert_eq!(messages.iter().filter(|one| one["isDeleted"] == false).count(), left, "{room}");
    }
    recall(&server.user("cat"), &[&of[0].1, &of[1].1], 403).await;
    server.end().await;
}

#[tokio::test]
async fn a_copy_that_may_not_be_deleted_keeps_those_of_other_conversations() {
    let server = groups(&["a-private", "c-private"]).await;
    group(&server, "b-public", "public").await;
    let bob = server.user("bob");
    let mut ids = Vec::new();
    for room in ["a-private", "b-public", "c-private"] {
        ids.push(server.user("ann").send(room, "hello").await);
    }
    delete(&bob, &ids.iter().collect::<Vec<_>>(), 403).await;
    assert_eq!(bob.texts("a-private").await, ["hello"]);
    assert_eq!(bob.texts("c-private").await, ["hello"]);
    delete(&bob, &[&ids[0], &ids[2]], 204).await;
    assert!(bob.texts("a-private").await.is_empty() && bob.texts("c-private").await.is_empty());
    assert_eq!(server.user("ann").texts("a-private").await, ["hello"]);
    server.end().await;
}

#[tokio::test]
async fn users_and_conversations_named_together_all_get_it() {
    let server = groups(&["team", "other"]).await;
    let (ann, cat) = (server.user("ann"), server.user("cat"));
    let first = ann.send("other", "forwarded").await;
    let both = |more: Value| {
        let mut body = json!({"userIds": ["cat"], "conversationIds": ["team"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    ann.post("/v2/messages/forward", both(json!({"messageIds": [first]}))).await.expect(204);
    let told = ann.post("/v2/messages/broadcast", both(json!({"body": "told"}))).await.expect(200);
    assert_eq!(told, json!([]));
    assert_eq!(server.user("bob").texts("team").await, ["forwarded", "told"]);
    let direct = cat.get("/v2/conversations").await.expect(200);
    assert_eq!(direct.as_array().unwrap().len(), 1);
    assert_eq!(cat.texts(direct[0]["id"].as_str().unwrap()).await, ["forwarded", "told"]);
    // One target that is none, of either kind: nobody gets it.
    for (key, wrong) in [("userIds", "nobody"), ("conversationIds", "nothing")] {
        let mut body = both(json!({"body": "never"}));
        body[key] = json!([wrong]);
        ann.post("/v2/messages/broadcast", body).await.expect(404);
    }
    let many: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let body = json!({"body": "never", "userIds": many, "conversationIds": many});
    ann.post("/v2/messages/broadcast", body).await.expect(400);
    assert_eq!(server.user("bob").texts("team").await, ["forwarded", "told"]);
    server.end().await;
}

#[tokio::test]
async fn what_was_edited_or_recalled_and_is_sent_again_is_answered_with_the_first_message() {
    let server = groups(&["team", "other"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let parent = bob.send("team", "question").await;
    let original = |id: &str| {
        json!({
            "id": id, "conversationId": "team", "body": "original", "parentId": parent, "metaData": {"k": [1, 2.5]},
            "attachments": [{"type": "location", "title": "here"}],
        })
    };
    let other = |id: &str, key: &str, value: Value| {
        let mut body = original(id);
        body[key] = value;
        body
    };
    for (n, id) in ["edited", "edited-twice", "recalled", "edited-then-recalled"].into_iter().enumerate() {
        let first = ann.post("/v2/messages/send", original(id)).await.expect(201);
        let path = format!("/channels/team/messages/{id}");
        for text in ["edited", "twice"].iter().take([1, 2, 0, 1][n]) {
            ann.ask("PATCH", &path, Some(json!({"content": text}))).await.expect(200);
        }
        if n >= 2 {
            recall(&ann, &[&id.to_owned()], 200).await;
        }
        let now = ann.messages("team").await.remove(0);
        for _ in 0..2 {
            let again = ann.post("/v2/messages/send", original(id)).await.expect(201);
            assert_eq!(again["id"], first["id"], "{id}");
            for key in ["body", "isDeleted", "createdAt", "updatedAt", "attachments", "metaData"] {
                assert_eq!(again[key], now[key], "{id}: {key}");
            }
        }
        // Anything else is no repetition: also what it says now, and what another says.
        for (key, value) in [
            ("body", json!("edited")),
            ("body", json!("twice")),
            ("metaData", json!({"k": [1, 2]})),
            ("attachments", json!([])),
            ("parentId", Value::Null),
            ("recipients", json!(["bob"])),
            ("conversationId", json!("other")),
        ] {
            let body = other(id, key, value);
            ann.post("/v2/messages/send", body).await.expect(if key == "conversationId" { 404 } else { 400 });
        }
        bob.post("/v2/messages/send", original(id)).await.expect(400);
        assert_eq!(ann.messages("team").await.len(), n + 2, "{id}: nothing was written");
    }
    // Also when what it replied to is gone. A new reply has nothing to hang on.
    recall(&bob, &[&parent], 200).await;
    for id in ["edited", "recalled"] {
        let again = ann.post("/v2/messages/send", original(id)).await.expect(201);
        assert_eq!(again["id"], id);
        ann.post("/v2/messages/send", other(id, "body", json!("another"))).await.expect(404);
    }
    ann.post("/v2/messages/send", original("new")).await.expect(404);
    server.end().await;
}

/// What the page of compatibility says is not there.
#[tokio::test]
async fn there_is_no_list_of_all_messages_and_no_count_of_all_users() {
    let server = groups(&["team"]).await;
    server.user("ann").send("team", "hello").await;
    for path in ["/v2/messages", "/v2/users/count"] {
        let refused = server.server().get(path).await.expect(404);
        assert_eq!(refused["error"]["statusCode"], 404, "{path}: {refused}");
    }
    // Nor does a header make one of two messages.
    let twice = server.user("ann").with("idempotency-key", "once");
    let ids = [twice.send("team", "again").await, twice.send("team", "again").await];
    assert_ne!(ids[0], ids[1]);
    server.end().await;
}

#[tokio::test]
async fn of_more_members_than_one_entry_takes_none_is_changed_if_one_must_not_be() {
    let server = groups(&["team"]).await;
    let users: Vec<String> = (0..50).map(|n| format!("user-{n:02}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    server.make_users(&names).await;
    let ann = server.user("ann");
    let count =
        async || ann.get("/v2/conversations/team/members").await.expect(200).as_array().unwrap().len();
    ann.post("/channels/team/bans", json!({"user_id": "user-49", "motive": ""})).await.expect(201);
    let add = async |members: &[&str]| {
        ann.post("/v2/conversations/team/add_members", json!({ "members": members })).await.status
    };
    assert_eq!((add(&names).await, count().await), (403, 2), "one is banned");
    assert!(add(&names[..49]).await < 300);
    assert_eq!(count().await, 51);
    // The owner cannot be removed, and stands last.
    let all: Vec<&str> = names[..49].iter().copied().chain(["ann"]).collect();
    let remove = ann.post("/v2/conversations/team/remove_members", json!({ "members": all })).await;
    assert_eq!((remove.status, count().await), (403, 51));
    server.end().await;
}

/// Who watches a conversation, by what its list and its portrait say.
async fn watchers(api: &Api, id: &str) -> (Vec<String>, Value) {
    let listed = api.get(&format!("/v2/conversations/{id}/watchers")).await.expect(200);
    let ids = listed.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let portrait = api.get(&format!("/v2/conversations/{id}")).await.expect(200);
    (ids, portrait["watchersCount"].clone())
}

#[tokio::test]
async fn who_watched_a_conversation_that_was_deleted_does_not_watch_the_next_one() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat", "dan"]).await;
    let (ann, store) = (server.user("ann"), &server.running.context.store);
    let room = ConversationId::parse("room").unwrap();
    group(&server, "room", "public").await;
    let first = server.number("room").await;
    for user in ["cat", "dan"] {
        server.user(user).post("/v2/conversations/room/start_watching", json!({})).await.expect(204);
    }
    assert_eq!(watchers(&ann, "room").await, (vec!["cat".to_owned(), "dan".to_owned()], json!(2)));
    ann.delete("/channels/room").await.expect(204);
    // The next one is there before anybody has swept up after the first, or just afterwards: cat watches it, too.
    group(&server, "room", "public").await;
    server.user("cat").post("/v2/conversations/room/start_watching", json!({})).await.expect(204);
    assert_eq!(watchers(&ann, "room").await, (vec!["cat".to_owned()], json!(1)));
    server.settled().await;
    assert_eq!(watchers(&ann, "room").await, (vec!["cat".to_owned()], json!(1)));
    assert_eq!(store.watchers(&room, first).await.unwrap(), [], "nothing is left of the first");
    // As if dan had begun to watch the first just before it was deleted.
    store.start_watching(&room, first, &UserId::parse("dan").unwrap(), Timestamp::default()).await.unwrap();
    assert_eq!(watchers(&ann, "room").await, (vec!["cat".to_owned()], json!(1)));
    server.end().await;
}

#[tokio::test]
async fn anybody_may_stop_watching() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let (ann, cat) = (server.user("ann"), server.user("cat"));
    for (id, shut) in [("banned", false), ("private", true)] {
        group(&server, id, "public").await;
        let path = format!("/v2/conversations/{id}");
        cat.post(&format!("{path}/start_watching"), json!({})).await.expect(204);
        if shut {
            ann.put(&path, json!({"type": "private"})).await.expect(200);
        } else {
            ann.post(&format!("{path}/ban"), json!({"userIds": ["cat"]})).await.expect(204);
        }
        cat.post(&format!("{path}/start_watching"), json!({})).await.expect(403);
        let (id, number) = (ConversationId::parse(id).unwrap(), server.number(id).await);
        let store = &server.running.context.store;
        assert_eq!(store.watchers(&id, number).await.unwrap(), [UserId::parse("cat").unwrap()]);
        for _ in 0..2 {
            cat.post(&format!("{path}/stop_watching"), json!({})).await.expect(204);
            assert_eq!(store.watchers(&id, number).await.unwrap(), []);
        }
    }
    cat.post("/v2/conversations/nowhere/stop_watching", json!({})).await.expect(404);
    server.end().await;
}
