//! The three kinds of conversation, by who may do what.

use serde_json::json;

use crate::harness::Server;

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Who {
    Member,
    Stranger,
    Banned,
    Server,
}

/// What reading, writing and joining by oneself is answered with.
type Answers = (u16, u16, u16);

#[tokio::test]
async fn a_conversations_kind_says_who_may_read_write_and_join() {
    let cases: [(&str, Who, Answers); 12] = [
        ("private", Who::Member, (200, 201, 403)),
        ("private", Who::Stranger, (403, 403, 403)),
        ("private", Who::Banned, (403, 403, 403)),
        ("private", Who::Server, (200, 201, 204)),
        ("public", Who::Member, (200, 201, 204)),
        ("public", Who::Stranger, (403, 403, 204)),
        ("public", Who::Banned, (403, 403, 403)),
        ("public", Who::Server, (200, 201, 204)),
        ("open", Who::Member, (200, 201, 204)),
        ("open", Who::Stranger, (200, 201, 204)),
        ("open", Who::Banned, (403, 403, 403)),
        ("open", Who::Server, (200, 201, 204)),
    ];
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat", "dan", "eve"]).await;
    for kind in ["private", "public", "open"] {
        let room = server.make_conversation(kind, &["ann", "bob", "dan"]).await;
        let ban = json!({"userIds": ["dan"]});
        server.user("ann").post(&format!("/v2/conversations/{room}/ban"), ban).await.expect(204);
        server.user("ann").send(&room, "hello").await;
        for (_, who, expected) in cases.iter().filter(|(of, ..)| *of == kind) {
            let api = match who {
                Who::Member => server.user("bob"),
                Who::Stranger => server.user("cat"),
                Who::Banned => server.user("dan"),
                Who::Server => server.acting_for("eve"),
            };
            let read = api.get(&format!("/v2/conversations/{room}/messages")).await;
            if read.status == 200 {
                assert!(read.body.to_string().contains("hello"), "{kind} {who:?}");
            }
            let message = json!({"conversationId": room, "body": "x"});
            let sent = api.post("/v2/messages/send", message).await;
            let joined = api.post(&format!("/v2/conversations/{room}/join"), json!({})).await;
            assert_eq!((read.status, sent.status, joined.status), *expected, "{kind} {who:?}");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_public_conversation_is_read_once_joined_and_no_more_once_left() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("public", &["ann"]).await;
    let bob = server.user("bob");
    let path = |what: &str| format!("/v2/conversations/{room}/{what}");
    server.user("ann").send(&room, "before").await;
    bob.post(&path("join"), json!({})).await.expect(204);
    assert_eq!(bob.texts(&room).await, ["before"]);
    bob.send(&room, "mine").await;
    bob.post(&path("leave"), json!({})).await.expect(204);
    bob.get(&path("messages")).await.expect(403);
    server.user("ann").send(&room, "meanwhile").await;
    bob.post(&path("join"), json!({})).await.expect(204);
    assert_eq!(bob.texts(&room).await, ["before", "mine"]);
    server.end().await;
}

#[tokio::test]
async fn leaving_hides_nothing_of_an_open_conversation_and_a_ban_does() {
    let server = Server::in_process().await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("open", &["ann", "bob"]).await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let path = |what: &str| format!("/v2/conversations/{room}/{what}");
    bob.post(&path("leave"), json!({})).await.expect(204);
    ann.send(&room, "after bob left").await;
    assert_eq!(bob.texts(&room).await, ["after bob left"]);
    ann.post(&path("ban"), json!({"userIds": ["bob"], "expires": 60})).await.expect(204);
    ann.send(&room, "while bob was banned").await;
    bob.get(&path("messages")).await.expect(403);
    server.clock.step(61_000);
    ann.send(&room, "when the ban was over").await;
    assert_eq!(bob.texts(&room).await, ["after bob left", "when the ban was over"]);
    server.end().await;
}

#[tokio::test]
async fn two_users_have_one_conversation_whoever_writes_first() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let mut bob = server.listen("bob").await;
    let (one, other) = (server.user("ann"), server.user("bob"));
    let (first, second) = tokio::join!(
        one.post("/v2/messages/send", json!({"userId": "bob", "body": "from ann"})),
        other.post("/v2/messages/send", json!({"userId": "ann", "body": "from bob"})),
    );
    let (first, second) = (first.expect(201), second.expect(201));
    assert_eq!(first["conversationId"], second["conversationId"]);
    let room = first["conversationId"].as_str().unwrap();
    assert_eq!(one.texts(room).await.len(), 2);
    server.user("cat").get(&format!("/v2/conversations/{room}/messages")).await.expect(403);
    let heard = server.heard(&mut bob).await;
    let rooms: Vec<_> = heard.iter().filter(|frame| frame["type"] == "RoomCreated").collect();
    assert_eq!(rooms.len(), 1, "{heard:?}");
    assert_eq!(rooms[0]["data"]["room"]["displayName"], "ann");
    // Nobody comes in, nobody goes; but one may block the other.
    one.post(&format!("/v2/conversations/{room}/add_members"), json!({"members": ["cat"]})).await.expect(403);
    other.post("/v2/users/block", json!({"userId": "ann"})).await;
    one.post("/v2/messages/send", json!({"userId": "bob", "body": "again"})).await.expect(403);
    server.end().await;
}
