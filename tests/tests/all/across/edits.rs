//! An edit is shown to who may see the message, as it is then, and to nobody else, in every dialect.

use domain::Dialect;
use serde_json::{Value, json};

use super::watchers::Watchers;
use crate::{
    channels::Realtime,
    channelstream::{send, signed},
    harness::Server,
};

async fn patch(server: &Server, channel: &str, uuid: &Value, text: &str, more: Value) {
    let mut edit = json!({"channel": channel, "uuid": uuid, "message": {"text": text}});
    for (key, value) in more.as_object().unwrap() {
        edit[key] = value.clone();
    }
    signed(server).ask("PATCH", "/message", Some(json!([edit]))).await.expect(200);
}

/// Which dialects told a user's clients something, and whether each that tells texts told this one.
async fn told(server: &Server, who: &mut Watchers, text: Option<&str>) -> Vec<&'static str> {
    let mut frames = who.frames(server).await;
    frames.retain(|_, frames| !frames.is_empty());
    for (dialect, frames) in &frames {
        let said = text.is_none_or(|text| frames.iter().any(|frame| frame.to_string().contains(text)));
        assert!(said || *dialect == Dialect::Nkchat, "{dialect:?}: {text:?} is not in {frames:?}");
    }
    frames.into_keys().map(Dialect::name).collect()
}

#[tokio::test]
async fn an_edit_s_own_audience_opens_no_message_and_closes_none() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "eve"]).await;
    let id = server.make_conversation("private", &["ann", "bob", "eve"]).await;
    let (mut bob, mut eve) =
        (Watchers::open_as(&server, |_| "bob").await, Watchers::open_as(&server, |_| "eve").await);
    bob.follow(&server, &id).await;
    eve.follow(&server, &id).await;
    // Bob's alone, and edited as if it were everybody's, or eve's.
    let secret = json!({"channel": id, "user": "ann", "pm_users": ["bob"], "message": {"text": "psst"}});
    let uuid = send(&server, secret).await["uuid"].clone();
    let all = ["channels", "channelstream", "events", "nkchat"];
    let others = ["channels", "events", "nkchat"];
    assert_eq!(told(&server, &mut bob, Some("psst")).await, all);
    patch(&server, &id, &uuid, "opened", json!({})).await;
    assert_eq!(told(&server, &mut bob, Some("opened")).await, all);
    patch(&server, &id, &uuid, "turned", json!({"pm_users": ["eve"]})).await;
    assert_eq!(told(&server, &mut bob, Some("turned")).await, others);
    let delete = json!([{"channel": id, "uuid": uuid}]);
    signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
    assert_eq!(told(&server, &mut bob, None).await, all);
    let frames = eve.frames(&server).await;
    assert!(frames.values().all(Vec::is_empty), "{frames:?}");
    // Nor is it sent again.
    let mut again = Realtime::open(&server, "eve").await;
    let topic = format!("channel:{id}");
    let (_, answer) = again.subscribe(&[&topic], json!(null)).await;
    let epoch = &answer["data"]["positions"][&topic]["epoch"];
    let (missed, _) = again.subscribe(&[&topic], json!({&topic: {"epoch": epoch, "seq": 1}})).await;
    assert!(!missed.iter().any(|one| one.to_string().contains(uuid.as_str().unwrap())), "{missed:?}");
    // Everybody's, and edited as if it were eve's: the other dialects tell all who see it.
    let open = json!({"channel": id, "user": "ann", "message": {"text": "hi"}});
    let uuid = send(&server, open).await["uuid"].clone();
    bob.frames(&server).await;
    eve.frames(&server).await;
    patch(&server, &id, &uuid, "hello", json!({"pm_users": ["eve"]})).await;
    assert_eq!(told(&server, &mut eve, Some("hello")).await, all);
    assert_eq!(told(&server, &mut bob, Some("hello")).await, others);
    drop((bob, eve, again));
    server.end().await;
}

#[tokio::test]
async fn who_was_sent_away_is_not_shown_what_a_message_was_edited_to_afterwards() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let id = server.make_conversation("private", &["ann", "bob", "cat"]).await;
    let ann = server.user("ann");
    let message = ann.send(&id, "one").await;
    let edit = async |text: &str| {
        let path = format!("/channels/{id}/messages/{message}");
        ann.ask("PATCH", &path, Some(json!({"content": text}))).await.expect(200);
    };
    edit("two").await;
    let path = format!("/channels/{id}/members/bob");
    ann.delete(&path).await.expect(204);
    edit("three").await;
    server.settled().await;
    // The stream brings all of it late, in one batch: bob is told of what was before, and of nothing that is there since.
    let (mut bob, mut cat) = (server.listen("bob").await, server.listen("cat").await);
    server.deliver_again(&id).await;
    let (bob, cat) = (server.heard(&mut bob).await, server.heard(&mut cat).await);
    assert!(cat.iter().any(|one| one.to_string().contains("three")), "{cat:?}");
    assert!(bob.iter().any(|one| one["type"] == "RoomDeleted"), "{bob:?}");
    assert!(!bob.iter().any(|one| one.to_string().contains("three")), "{bob:?}");
    server.end().await;
}

/// What a client that resumes is sent again of an open channel that was closed for a while.
#[tokio::test]
async fn what_a_list_shows_is_sent_again() {
    let server = Server::start().await;
    server.make_users(&["ann", "eve"]).await;
    let ann = server.user("ann");
    let made = ann.post("/channels", json!({"channel_name": "Open", "visibility": "open"})).await.expect(201);
    let id = made["channel_id"].as_str().unwrap();
    let topic = format!("channel:{id}");
    let say = async |text: &str| {
        ann.post(&format!("/channels/{id}/messages"), json!({"content": text})).await.expect(201);
    };
    let set = async |visibility: &str| {
        let path = format!("/channels/{id}");
        ann.ask("PATCH", &path, Some(json!({"visibility": visibility}))).await.expect(200);
    };
    let mut eve = Realtime::open(&server, "eve").await;
    let (_, answer) = eve.subscribe(&[&topic], json!(null)).await;
    let position = answer["data"]["positions"][&topic].clone();
    say("one").await;
    set("private").await;
    say("two").await;
    set("open").await;
    say("three").await;
    let texts = |events: &[Value]| -> Vec<String> {
        let texts = events.iter().filter_map(|one| one["data"]["content"].as_str());
        texts.map(str::to_owned).collect()
    };
    let mut again = Realtime::open(&server, "eve").await;
    let (missed, answer) = again.subscribe(&[&topic], json!({ &topic: position })).await;
    assert_eq!(answer["data"]["positions"][&topic]["recovered"], true);
    let listed = server.user("eve").get(&format!("/channels/{id}/messages")).await.expect(200);
    let mut listed = texts(
        &listed["data"].as_array().unwrap().iter().map(|one| json!({ "data": one })).collect::<Vec<_>>(),
    );
    listed.reverse();
    assert_eq!((texts(&missed), listed.len()), (listed, 3));
    drop((eve, again));
    server.end().await;
}
