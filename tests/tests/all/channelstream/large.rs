//! Batches of messages that are as large as they may be: what is said of each is little, and who may hear it is much.

use domain::{Event, Seq};
use serde_json::{Value, json};
use store::log::Span;

use super::{listen, signed};
use crate::harness::{Server, http::Api};

/// Users whose ids take about 97 KB together: as many as may hear one message.
fn users() -> Vec<String> {
    (0..380).map(|n| format!("{n:03}{}", "u".repeat(250))).collect()
}

fn message(channel: &str, text: &str, users: &[String]) -> Value {
    json!({"channel": channel, "user": "ann", "message": {"text": text}, "pm_users": users})
}

/// Sends as many as these, each to as many users as may be; their ids.
async fn send(api: &Api, channel: &str, count: usize) -> Vec<Value> {
    let users = users();
    let batch: Vec<Value> = (0..count).map(|n| message(channel, &n.to_string(), &users)).collect();
    let echoes = api.post("/message", json!(batch)).await;
    assert_eq!(echoes.status, 200, "{}", echoes.body);
    echoes.body.as_array().unwrap().iter().map(|echo| echo["uuid"].clone()).collect()
}

/// The texts that a channel's log has. A list of messages as large as these is more than a reply takes.
async fn texts(server: &Server, channel: &str) -> Vec<String> {
    let (store, number) = (&server.running.context.store, server.number(channel).await);
    let (mut texts, mut after) = (Vec::new(), Seq(0));
    loop {
        let page = store.entries(number, Span::After(after), 1_000, true).await.unwrap();
        let Some(last) = page.entries.last() else { return texts };
        after = last.seq();
        texts.extend(page.entries.into_iter().filter_map(|entry| match entry.event {
            Event::MessageCreated(message) => message.content.text,
            _ => None,
        }));
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn a_batch_is_cut_by_all_that_it_writes() {
    let server = Server::start().await;
    listen(&server, "ann", &["room", "other"]).await.socket.close().await;
    let api = signed(&server);
    // 4.4 MB of audiences: a transaction takes 4.
    let ids = send(&api, "room", 45).await;
    assert_eq!(texts(&server, "room").await, numbers(0..45));
    // 2.4 MB, and as much of what had these ids before and is written again under other ones.
    let users = users();
    let again = |(n, id): (usize, &Value)| {
        let mut body = message("room", &(100 + n).to_string(), &users);
        body["uuid"] = id.clone();
        body
    };
    let batch: Vec<Value> = ids.iter().enumerate().take(25).map(again).collect();
    let echoes = api.post("/message", json!(batch)).await;
    assert_eq!(echoes.status, 200, "{}", echoes.body);
    assert_eq!(texts(&server, "room").await, [numbers(0..45), numbers(100..125)].concat());
    // An edit and a deletion write what the message says to whom, and say so again.
    let edit =
        |(n, id): (usize, &Value)| json!({"uuid": id, "channel": "room", "message": {"text": n.to_string()}});
    let batch: Vec<Value> = ids.iter().enumerate().skip(25).map(|(n, id)| edit((200 + n, id))).collect();
    let edited = api.ask("PATCH", "/message", Some(json!(batch))).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    let now = [numbers(0..25), numbers(225..245), numbers(100..125)].concat();
    assert_eq!(texts(&server, "room").await, now);
    let batch: Vec<Value> = ids.iter().map(|id| json!({"uuid": id, "channel": "room"})).collect();
    let deleted = api.ask("DELETE", "/message", Some(json!(batch))).await;
    assert_eq!(deleted.status, 200, "{}", deleted.body);
    // The first ones are named by other ids since.
    assert_eq!(texts(&server, "room").await, numbers(0..25));
    server.end().await;
}

#[tokio::test]
async fn a_revision_that_is_too_large_leaves_all_as_they_were() {
    let server = Server::start().await;
    listen(&server, "ann", &["room", "other"]).await.socket.close().await;
    let api = signed(&server);
    let mut ids = send(&api, "other", 1).await;
    ids.extend(send(&api, "room", 8).await);
    let body = |n: usize, more: Value| {
        let channel = if n == 0 { "other" } else { "room" };
        let mut body = json!({"uuid": ids[n], "channel": channel, "message": {"text": "edited"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let many: Vec<String> = users().into_iter().chain(users().iter().map(|one| format!("x{one}"))).collect();
    for too_much in [
        // Whom it tells, and what it tells them.
        json!({ "pm_users": many }),
        json!({ "exclude_users": many }),
        json!({"message": {"text": "x".repeat(100_001)}}),
        // With the audience that the message keeps.
        json!({"message": {"text": "x".repeat(10_000)}}),
    ] {
        let of_message =
            too_much.get("message").is_some_and(|it| it["text"].as_str().unwrap().len() == 10_000);
        // A channel is a log of its own: what is too large with what one keeps is found there.
        let first = usize::from(of_message);
        let batch: Vec<Value> = (first..8).map(|n| body(n, json!({}))).chain([body(8, too_much)]).collect();
        let refused = api.ask("PATCH", "/message", Some(json!(batch))).await;
        assert_eq!(refused.status, 413, "{}", refused.body);
        assert_eq!(texts(&server, "other").await, numbers(0..1));
        assert_eq!(texts(&server, "room").await, numbers(0..8));
    }
    let delete = |n: usize, users: &[String]| json!({"uuid": ids[n], "channel": "room", "pm_users": users});
    let batch = json!([delete(1, &[]), delete(2, &many)]);
    assert_eq!(api.ask("DELETE", "/message", Some(batch)).await.status, 413);
    assert_eq!(texts(&server, "room").await, numbers(0..8));
    server.end().await;
}
