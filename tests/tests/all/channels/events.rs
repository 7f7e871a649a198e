//! Every event of the seed, with its payload, on its topics, from whichever dialect it comes.

use serde_json::{Value, json};

use super::{Realtime, bare, channel, say};
use crate::harness::Server;

fn event(kind: &str, data: Value) -> (String, Value) {
    (kind.to_owned(), data)
}

#[tokio::test]
async fn every_event_is_heard_on_its_topics() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob"]).await;
    server.make_user("cat").await;
    let (ann, bob, cat) = (server.user("ann"), server.user("bob"), server.user("cat"));
    let at = |rest: &str| format!("/channels/{id}/{rest}");
    let topic = format!("channel:{id}");
    let mut on_channel = Realtime::open(&server, "ann").await;
    on_channel.subscribe(&[&topic], json!(null)).await;
    let mut on_user = Realtime::open(&server, "cat").await;
    on_user.subscribe(&["user:cat", "global"], json!(null)).await;

    let message = say(&ann, &id, "one").await;
    bob.post(&at(&format!("messages/{message}/replies")), json!({"content": "two"})).await.expect(201);
    ann.ask("PATCH", &at(&format!("messages/{message}")), Some(json!({"content": "three"})))
        .await
        .expect(200);
    ann.delete(&at(&format!("messages/{message}"))).await.expect(204);
    cat.post(&at("members"), json!({})).await.expect(201);
    ann.ask("PATCH", &at("members/bob"), Some(json!({"role": "moderator"}))).await.expect(200);
    bob.post(&at("kicks"), json!({"user_id": "cat"})).await.expect(201);
    bob.post(&at("bans"), json!({"user_id": "cat", "motive": "spam"})).await.expect(201);
    bob.delete(&at("bans/cat?motive=sorry")).await.expect(204);
    bob.delete(&at("members/bob")).await.expect(204);
    ann.ask("PATCH", &at("")[..at("").len() - 1], Some(json!({"channel_name": "Tea", "description": "new"})))
        .await
        .expect(200);
    ann.delete(&at("")[..at("").len() - 1]).await.expect(204);

    let heard = on_channel.heard(&server).await;
    let reply = heard[1]["data"]["message_id"].clone();
    let person = |user: &str| json!({"channel_id": id, "user_id": user, "username": user});
    // The fan-out may come to a message's frames after it was edited; what it says then is another test's.
    let expected = [
        event(
            "channel_message",
            json!({"channel_id": id, "message_id": message, "user_id": "ann", "username": "ann", "content": "one"}),
        ),
        event(
            "message_reply",
            json!({"channel_id": id, "message_id": reply, "parent_message_id": message, "user_id": "bob", "username": "bob", "content": "two"}),
        ),
        event(
            "message_updated",
            json!({"channel_id": id, "message_id": message, "content": heard[2]["data"]["content"]}),
        ),
        event("message_deleted", json!({"channel_id": id, "message_id": message})),
        event("member_joined", person("cat")),
        event(
            "member_role_updated",
            json!({"channel_id": id, "user_id": "bob", "username": "bob", "new_role": "moderator"}),
        ),
        event("user_kicked", json!({"channel_id": id, "user_id": "cat"})),
        event("user_banned", json!({"channel_id": id, "user_id": "cat", "motive": "spam"})),
        event("user_unbanned", json!({"channel_id": id, "user_id": "cat", "motive": "sorry"})),
        event("member_left", person("bob")),
        event("channel_updated", json!({"channel_id": id, "description": "new"})),
        event("channel_deleted", json!({"channel_id": id})),
    ];
    assert_eq!(bare(&heard), expected);
    let seqs: Vec<u64> = heard.iter().map(|one| one["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    assert!(heard.iter().all(|one| one["epoch"] == heard[0]["epoch"] && one["epoch"].is_string()));

    // The user's own copies do not say who: it is the one who hears them.
    let notices = on_user.heard(&server).await;
    let expected = [
        event("user_kicked", json!({"channel_id": id})),
        event("user_banned", json!({"channel_id": id, "motive": "spam"})),
        event("user_unbanned", json!({"channel_id": id, "motive": "sorry"})),
    ];
    assert_eq!(bare(&notices), expected);

    // New channels are told to everybody, unless they are private.
    let made = ann.post("/channels", json!({"channel_name": "Open", "visibility": "open"})).await.expect(201);
    ann.post("/channels", json!({"channel_name": "Secret", "visibility": "private"})).await.expect(201);
    let told = on_user.heard(&server).await;
    let expected =
        [event("channel_created", json!({"channel_id": made["channel_id"], "channel_name": "Open"}))];
    assert_eq!(bare(&told), expected);
    server.end().await;
}

#[tokio::test]
async fn who_is_sent_away_hears_that_and_nothing_more() {
    let server = Server::start().await;
    let id = channel(&server, "public", "ann", &["bob", "cat", "dan"]).await;
    let (ann, topic) = (server.user("ann"), format!("channel:{id}"));
    let mut sockets = Vec::new();
    for user in ["bob", "cat", "dan"] {
        let mut socket = Realtime::open(&server, user).await;
        socket.subscribe(&[&topic], json!(null)).await;
        sockets.push(socket);
    }
    let at = |rest: &str| format!("/channels/{id}/{rest}");
    ann.post(&at("kicks"), json!({"user_id": "bob"})).await.expect(201);
    ann.post(&at("bans"), json!({"user_id": "cat", "motive": ""})).await.expect(201);
    server.user("dan").delete(&at("members/dan")).await.expect(204);
    say(&ann, &id, "they are gone").await;
    let mut last = Vec::new();
    for socket in &mut sockets {
        let heard = socket.heard(&server).await;
        last.push(heard.last().unwrap()["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(last, ["user_kicked", "user_banned", "member_left"]);
    // The subscription of who comes back is not the one of before.
    server.user("bob").post(&at("members"), json!({})).await.expect(201);
    say(&ann, &id, "he is back").await;
    assert_eq!(sockets[0].heard(&server).await.len(), 0);
    let (_, answer) = sockets[0].subscribe(&[&topic], json!(null)).await;
    assert_eq!(answer["data"]["channels"], json!([topic]));
    say(&ann, &id, "welcome").await;
    assert_eq!(sockets[0].heard(&server).await.len(), 1);
    // Nor can the banned resume.
    let after = json!({&topic: {"epoch": answer["data"]["positions"][&topic]["epoch"], "seq": 1}});
    sockets[1].say(json!({"action": "subscribe", "channels": [topic], "after": after})).await;
    assert_eq!(sockets[1].next().await["data"]["code"], "forbidden");
    server.end().await;
}

#[tokio::test]
async fn what_channelize_writes_is_heard_and_the_other_way_round() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    let id = server.make_conversation("private", &["ann", "bob"]).await;
    let mut bob = Realtime::open(&server, "bob").await;
    bob.subscribe(&[&format!("channel:{id}")], json!(null)).await;
    let ann = server.user("ann");
    let first = ann.send(&id, "hello").await;
    ann.send_with(&id, "again", json!({"parentId": first})).await;
    ann.post("/v2/messages/delete_for_everyone", json!({"messageIds": [first]})).await;
    let kinds: Vec<String> = bare(&bob.heard(&server).await).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds[..2], ["channel_message", "message_reply"]);
    let said = say(&server.user("bob"), &id, "from channels").await;
    let messages = ann.messages(&id).await;
    let seen = messages.iter().find(|one| one["id"] == said.as_str()).unwrap();
    assert_eq!(seen["body"], "from channels");
    server.end().await;
}
