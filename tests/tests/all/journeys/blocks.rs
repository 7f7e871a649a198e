//! What a block stops between two users: everything that says something new, in whatever dialect.

use serde_json::{Value, json};

use crate::{
    channels::Realtime,
    harness::{Server, http::Api},
    nkchat,
};

/// A server on which ann and bob have said something to each other; their conversation, and what each said.
async fn two() -> (Server, String, [String; 2]) {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let first = json!({"userId": "bob", "body": "from ann"});
    let first = server.user("ann").post("/v2/messages/send", first).await.expect(201);
    let room = first["conversationId"].as_str().unwrap().to_owned();
    let second = server.user("bob").send(&room, "from bob").await;
    (server, room, [first["id"].as_str().unwrap().to_owned(), second])
}

/// Says something new in every way but by sending; the statuses.
async fn statuses(api: &Api, room: &str, own: &str, other: &str) -> Vec<(&'static str, u16)> {
    let of = |what, answer: crate::harness::http::Answer| (what, answer.status);
    let edit = Some(json!({"content": "edited"}));
    let typing = Some(json!({"isTyping": true}));
    let typing_here = Some(json!({"is_typing": true}));
    vec![
        of("edit", api.ask("PATCH", &format!("/channels/{room}/messages/{own}"), edit).await),
        of("react", api.post(&format!("/v2/messages/{other}/add_reaction"), json!({"type": "boo"})).await),
        of("type", api.ask("POST", &format!("/v2/conversations/{room}/send_typing_status"), typing).await),
        of("type here", api.ask("POST", &format!("/channels/{room}/typing"), typing_here).await),
    ]
}

fn all(of: &[(&'static str, u16)], status: u16) -> bool {
    of.iter().all(|(_, one)| *one == status)
}

#[tokio::test]
async fn a_block_stops_edits_reactions_and_typing_whoever_of_the_two_blocks() {
    let (server, room, [anns, bobs]) = two().await;
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    for (blocker, blocked) in [(&ann, json!("bob")), (&bob, json!("ann"))] {
        blocker.post("/v2/users/block", json!({"userId": blocked})).await.expect(204);
        for (api, own, other) in [(&ann, &anns, &bobs), (&bob, &bobs, &anns)] {
            let refused = statuses(api, &room, own, other).await;
            assert!(all(&refused, 403), "{refused:?}");
        }
        // The application's server acts for a user as that user.
        let acting = statuses(&server.acting_for("ann"), &room, &anns, &bobs).await;
        assert!(all(&acting, 403), "{acting:?}");
        assert_eq!(ann.texts(&room).await, ["from ann", "from bob"]);
        let reactions = ann.get(&format!("/v2/messages/{bobs}/reactions?type=boo")).await.expect(200);
        assert_eq!(reactions, json!([]));
        blocker.post("/v2/users/unblock", json!({"userId": blocked})).await.expect(204);
    }
    let allowed = statuses(&bob, &room, &bobs, &anns).await;
    assert!(allowed.iter().all(|(_, status)| *status < 300), "{allowed:?}");
    // What was said before can still be taken back, and pins say nothing.
    ann.post("/v2/users/block", json!({"userId": "bob"})).await.expect(204);
    let path = format!("/v2/messages/{anns}");
    bob.post(&format!("{path}/remove_reaction"), json!({"type": "boo"})).await.expect(204);
    bob.ask("POST", &format!("{path}/pin"), None).await.expect(204);
    bob.ask("POST", &format!("{path}/unpin"), None).await.expect(204);
    bob.post("/v2/messages/delete_for_everyone", json!({"messageIds": [bobs]})).await.expect(200);
    server.end().await;
}

#[tokio::test]
async fn a_block_is_heeded_on_sockets_too() {
    let (server, room, [anns, bobs]) = two().await;
    let topic = format!("channel:{room}");
    let mut ann = Realtime::open(&server, "ann").await;
    ann.subscribe(&[&topic], json!(null)).await;
    let mut bob = Realtime::open(&server, "bob").await;
    let mut chat = nkchat::Client::login(&server, "bob", false).await;
    server.user("ann").post("/v2/users/block", json!({"userId": "bob"})).await.expect(204);
    bob.say(json!({"action": "typing", "channel_id": room, "is_typing": true})).await;
    assert_eq!(bob.until("error").await.1["data"]["code"], "forbidden");
    let edit = json!({"conversation_id": room, "message_id": bobs, "message": "edited"});
    assert_eq!(chat.refused("message", "update", edit).await, "unauthorized");
    assert_eq!(ann.heard(&server).await, Vec::<Value>::new());
    assert_eq!(server.user("ann").texts(&room).await, ["from ann", "from bob"]);
    // In a group the two go on as before.
    let group = server.make_conversation("private", &["ann", "bob"]).await;
    let own = server.user("bob").send(&group, "hello").await;
    let of_ann = server.user("ann").send(&group, "hello").await;
    let allowed = statuses(&server.user("bob"), &group, &own, &of_ann).await;
    assert!(allowed.iter().all(|(_, status)| *status < 300), "{allowed:?} {anns}");
    server.end().await;
}
