//! Messages, comments, edits, deletions, and who has read what.

use serde_json::{Value, json};

use super::{events, kinds, make_room, signed_in};
use crate::harness::{START, Server, packed};

#[tokio::test]
async fn a_message_is_written_and_told_before_the_room() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let mut heard = bob.listen(&server).await.unwrap();
    server.clock.step(7);
    let sent = ann.post(&format!("/api/v1/rooms/{room}/messages"), json!({"content": "hello"})).await;
    assert_eq!(sent.expect(200), json!({"httpStatusCode": 200}));
    let message = json!({
        "attachments": [], "commentCount": 0, "createdUtc": START + 7, "lastEditedUtc": START + 7,
        "lastModifiedUtc": START + 7, "markupType": "TextPlain", "messageId": packed(room, 2),
        "messageType": "Regular", "parentMessageId": 0, "priority": "Normal", "roomId": room,
        "text": "hello", "userId": 1, "readTimestamps": [{"readUtc": START + 7, "userId": 1}],
    });
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["TextMessagesCreated", "RoomUpdated"]);
    assert_eq!(frames[0]["data"]["messages"], json!([message]));
    assert_eq!(frames[1]["data"]["room"]["unreadMessageCount"], 1);
    assert_eq!(bob.messages(room).await, [message]);
    // The older path, as curl sends it.
    let mut curl = signed_in(&server, "carl").await;
    curl.headers = vec![
        ("authorization", format!("Bearer {}", server.token("ann"))),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    let path = format!("/api/v1/rooms/{room}/text-messages");
    curl.ask("POST", &path, r#"{"content":"from curl"}"#).await.expect(200);
    assert_eq!(bob.messages(room).await[1]["text"], "from curl");
    server.end().await;
}

#[tokio::test]
async fn a_page_begins_at_the_cursor_and_goes_either_way() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let room = make_room(&server, "private", &["ann"]).await;
    let other = make_room(&server, "private", &["ann"]).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(ann.write(room, &n.to_string()).await);
    }
    let path = format!("/api/v1/rooms/{room}/messages");
    let page = async |query: &str| {
        let body = ann.get(&format!("{path}?{query}")).await.expect(200);
        let texts = body["messages"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap());
        texts.collect::<String>()
    };
    assert_eq!(page("").await, "01234");
    assert_eq!(page("limit=2").await, "01");
    assert_eq!(page("cursor=-1&limit=2&direction=backward").await, "34");
    assert_eq!(page("limit=2&direction=backward").await, "34");
    assert_eq!(page(&format!("cursor={}&limit=3&direction=backward", ids[3])).await, "123");
    assert_eq!(page(&format!("cursor={}&limit=2&direction=forward", ids[3])).await, "34");
    assert_eq!(page(&format!("cursor={}", ids[1])).await, "1234");
    assert_eq!(page(&format!("cursor={}&direction=backward", ids[1])).await, "01");
    for bad in
        ["limit=0", "limit=201", "limit=x", "limit=", "limit=-1", "direction=up", "cursor=x", "cursor=-2"]
    {
        ann.get(&format!("{path}?{bad}")).await.expect(400);
    }
    ann.get(&format!("{path}?cursor={}", packed(other, 2))).await.expect(400);
    server.end().await;
}

#[tokio::test]
async fn a_comment_is_listed_at_what_it_comments_and_counted_there() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let message = ann.write(room, "what do you think?").await;
    let mut heard = ann.listen(&server).await.unwrap();
    let path = format!("/api/v1/messages/{message}/comments");
    let none = bob.get(&path).await.expect(200);
    assert_eq!(
        none,
        json!({"httpStatusCode": 200, "messages": [], "parentMessageId": message, "roomId": room})
    );
    bob.post(&path, json!({"content": "one"})).await.expect(200);
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["TextMessagesCreated", "TextMessagesUpdated", "RoomUpdated"]);
    let comment = &frames[0]["data"]["messages"][0];
    assert_eq!((&comment["parentMessageId"], &comment["text"]), (&json!(message), &json!("one")));
    let parent = &frames[1]["data"]["messages"][0];
    assert_eq!((&parent["messageId"], &parent["commentCount"]), (&json!(message), &json!(1)));
    ann.write(room, "between").await;
    bob.post(&path, json!({"content": "two"})).await.expect(200);
    let texts = |page: Value| {
        let texts = page["messages"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(texts(ann.get(&path).await.expect(200)), ["one", "two"]);
    let newest = format!("{path}?cursor=-1&limit=1&direction=backward");
    assert_eq!(texts(ann.get(&newest).await.expect(200)), ["two"]);
    let all: Vec<_> = ann.messages(room).await.iter().map(|one| one["text"].clone()).collect();
    assert_eq!(all, ["what do you think?", "between"]);
    let first = comment["messageId"].as_u64().unwrap();
    bob.delete(&format!("/api/v1/messages/{first}")).await.expect(200);
    let deleted = events(&server.heard(&mut heard).await, "TextMessageDeleted")[0].clone();
    assert_eq!(deleted, json!({"parentMessageId": message, "roomId": room, "messageId": first}));
    assert_eq!(texts(ann.get(&path).await.expect(200)), ["two"]);
    server.end().await;
}

#[tokio::test]
async fn a_message_is_edited_by_its_author_and_deleted_by_author_or_moderator() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let message = bob.write(room, "helo").await;
    let mut heard = ann.listen(&server).await.unwrap();
    let path = format!("/api/v1/messages/{message}");
    ann.put(&path, json!({"content": "not mine"})).await.expect(403);
    server.clock.step(9);
    bob.put(&path, json!({"content": "hello"})).await.expect(200);
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["TextMessagesUpdated"]);
    let told = &frames[0]["data"]["messages"][0];
    assert_eq!((&told["text"], &told["messageId"]), (&json!("hello"), &json!(message)));
    assert_eq!(told["lastEditedUtc"], told["createdUtc"].as_i64().unwrap() + 9);
    assert_eq!(bob.messages(room).await[0]["text"], "hello");
    ann.delete(&path).await.expect(200);
    ann.delete(&path).await.expect(200);
    let frames = server.heard(&mut heard).await;
    assert_eq!(kinds(&frames), ["TextMessageDeleted", "RoomUpdated"]);
    assert_eq!(frames[0]["data"], json!({"parentMessageId": 0, "roomId": room, "messageId": message}));
    assert_eq!(frames[1]["data"]["room"]["lastMessage"], Value::Null);
    assert!(bob.messages(room).await.is_empty());
    bob.put(&path, json!({"content": "again"})).await.expect(404);
    server.end().await;
}

#[tokio::test]
async fn reading_is_told_once_and_stays_read() {
    let server = Server::in_process().await;
    let ann = signed_in(&server, "ann").await;
    let bob = signed_in(&server, "bob").await;
    let room = make_room(&server, "private", &["ann", "bob"]).await;
    let one = ann.write(room, "one").await;
    let two = ann.write(room, "two").await;
    let (mut at_ann, mut at_bob) = (ann.listen(&server).await.unwrap(), bob.listen(&server).await.unwrap());
    server.clock.step(50);
    let read = |message: u64| format!("/api/v1/messages/{message}/read");
    bob.post(&read(one), json!({})).await.expect(200);
    let frames = server.heard(&mut at_ann).await;
    assert_eq!(kinds(&frames), ["TextMessagesUpdated"]);
    let told = &frames[0]["data"]["messages"];
    let receipts = json!([{"readUtc": START, "userId": 1}, {"readUtc": START + 50, "userId": 2}]);
    assert_eq!((told.as_array().unwrap().len(), &told[0]["readTimestamps"]), (1, &receipts));
    let frames = server.heard(&mut at_bob).await;
    assert_eq!(kinds(&frames), ["TextMessagesUpdated", "RoomUpdated"]);
    assert_eq!(frames[1]["data"]["room"]["unreadMessageCount"], 1);
    assert_eq!(ann.messages(room).await[0]["readTimestamps"], receipts);
    assert_eq!(ann.messages(room).await[1]["readTimestamps"].as_array().unwrap().len(), 1);
    server.clock.step(50);
    bob.post(&read(one), json!({})).await.expect(200);
    assert!(server.heard(&mut at_bob).await.is_empty(), "said again, it changes nothing");
    bob.post(&read(two), json!({})).await.expect(200);
    bob.post(&read(one), json!({})).await.expect(200);
    server.heard(&mut at_bob).await;
    assert_eq!(bob.get("/api/v1/rooms").await.expect(200)["rooms"][0]["unreadMessageCount"], 0);
    server.end().await;
}

#[tokio::test]
async fn what_is_no_message_is_an_error_of_its_own() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let room = make_room(&server, "private", &["ann"]).await;
    let path = format!("/api/v1/rooms/{room}/messages");
    for body in
        ["", "{", "null", "[]", "7", "{}", r#"{"content":7}"#, r#"{"content":""}"#, r#"{"content":null}"#]
    {
        ann.ask("POST", &path, body).await.expect(400);
    }
    ann.ask("POST", &path, vec![0xff, 0xfe]).await.expect(400);
    let large = json!({"content": "x".repeat(100_001)});
    ann.post(&path, large).await.expect(413);
    for id in ["0", "2", "-1", "x", "9007199254740992", "99999999999999999999999"] {
        ann.put(&format!("/api/v1/messages/{id}"), json!({"content": "x"})).await.expect(404);
        ann.delete(&format!("/api/v1/messages/{id}")).await.expect(404);
        ann.post(&format!("/api/v1/rooms/{id}/messages"), json!({"content": "x"})).await.expect(404);
    }
    // An entry that is no message has a number of its own, too.
    ann.delete(&format!("/api/v1/messages/{}", packed(room, 1))).await.expect(404);
    assert!(ann.messages(room).await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn a_body_that_says_nothing_may_be_absent_but_not_malformed() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let room = make_room(&server, "private", &["ann"]).await;
    let message = ann.write(room, "read me").await;
    for path in [format!("/api/v1/messages/{message}/read"), "/api/v1/logout".to_owned()] {
        for malformed in [&b"{"[..], b"{} {}", b"\xff", b"\"\xff\""] {
            let refused = ann.ask("POST", &path, malformed.to_vec()).await.expect(400);
            assert_eq!(refused["httpStatusCode"], 400, "{path}: {refused}");
            assert!(refused["errorText"].is_string(), "{path}: {refused}");
        }
    }
    // Neither was done: she is still signed in. What is JSON, and what is nothing, is fine.
    for fine in ["", " ", "{}", "null", "[1]"] {
        ann.ask("POST", &format!("/api/v1/messages/{message}/read"), fine).await.expect(200);
    }
    ann.ask("POST", "/api/v1/logout", "").await.expect(200);
    ann.get("/api/v1/rooms").await.expect(401);
    server.end().await;
}

#[tokio::test]
async fn what_another_dialect_wrote_is_read_and_its_own_keys_survive_an_edit() {
    let server = Server::start().await;
    let ann = signed_in(&server, "ann").await;
    let id = server.make_conversation("private", &["ann"]).await;
    let room = server.number(&id).await.0;
    let more = json!({
        "metaData": {"k": "v"}, "attachments": [{"type": "image", "fileUrl": "https://x.example/a/b.png?c", "size": 9}],
    });
    let sent = server.user("ann").send_with(&id, "from elsewhere", more).await;
    let shown = ann.messages(room).await.remove(0);
    assert_eq!(shown["text"], "from elsewhere");
    let attachment = &shown["attachments"][0];
    assert_eq!((&attachment["fileName"], &attachment["fileSize"]), (&json!("b.png"), &json!(9)));
    assert_eq!(attachment["textMessageId"], shown["messageId"]);
    let number = shown["messageId"].as_u64().unwrap();
    ann.put(&format!("/api/v1/messages/{number}"), json!({"content": "edited"})).await.expect(200);
    let there = server.user("ann").messages(&id).await.remove(0);
    assert_eq!((&there["id"], &there["body"]), (&json!(sent), &json!("edited")));
    assert_eq!((&there["metaData"], &there["attachments"][0]["type"]), (&json!({"k": "v"}), &json!("image")));
    server.end().await;
}
