//! The socket: who may subscribe to what, and what is answered to whatever is said.

use serde_json::json;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::{Realtime, admin_token, bare, channel, say};
use crate::harness::{Server, within};

#[tokio::test]
async fn a_socket_needs_a_token() {
    let server = Server::start().await;
    for query in ["", "?token=x"] {
        let url = format!("ws://{}/realtime{query}", server.running.address);
        assert!(connect_async(url).await.is_err());
    }
    server.end().await;
}

#[tokio::test]
async fn topics_are_for_those_who_may_hear_them() {
    let server = Server::start().await;
    let private = channel(&server, "private", "ann", &["bob"]).await;
    let open = channel(&server, "open", "ann", &[]).await;
    let public = channel(&server, "public", "ann", &[]).await;
    let name = |id: &str| format!("channel:{id}");
    let (private, open, public) = (name(&private), name(&open), name(&public));
    let mut eve = Realtime::open(&server, "eve").await;
    let wanted = [&private, "user:ann", &public, "channel:none", "room:1", &open, "user:eve", "global"];
    let (refused, answer) = eve.subscribe(&wanted, json!(null)).await;
    let refused: Vec<_> = refused
        .iter()
        .map(|one| (one["data"]["channel"].as_str().unwrap(), one["data"]["code"].as_str().unwrap()))
        .collect();
    let expected = [
        (private.as_str(), "forbidden"),
        ("user:ann", "forbidden"),
        (public.as_str(), "forbidden"),
        ("channel:none", "not_found"),
        ("room:1", "invalid_request"),
    ];
    assert_eq!(refused, expected);
    assert_eq!(answer["data"]["channels"], json!([open, "user:eve", "global"]));
    let position = &answer["data"]["positions"]["global"];
    assert_eq!(position["recovered"], false);
    assert!(position["seq"].is_u64() && position["epoch"].is_string());
    // An admin's token hears everything.
    let mut chief = Realtime::open_with(&server, &admin_token(&server, "root")).await;
    let (refused, answer) = chief.subscribe(&[&private, "user:ann"], json!(null)).await;
    assert_eq!((refused.len(), answer["data"]["channels"].clone()), (0, json!([private, "user:ann"])));
    say(&server.user("bob"), private.trim_start_matches("channel:"), "psst").await;
    assert_eq!(chief.heard(&server).await[0]["data"]["content"], "psst");
    assert_eq!(eve.heard(&server).await, Vec::<serde_json::Value>::new());
    server.end().await;
}

#[tokio::test]
async fn whatever_is_said_is_answered_and_the_socket_stays_open() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &[]).await;
    let mut ann = Realtime::open(&server, "ann").await;
    for wrong in [
        "{",
        "[]",
        "\"x\"",
        "{}",
        r#"{"action":"dance"}"#,
        r#"{"action":5}"#,
        r#"{"action":"subscribe"}"#,
        r#"{"action":"subscribe","channels":[]}"#,
        r#"{"action":"subscribe","channels":"global"}"#,
        r#"{"action":"subscribe","channels":["global"],"after":{"global":{"seq":1}}}"#,
        r#"{"action":"subscribe","channels":["global"],"after":{"global":{"epoch":"x","seq":-1}}}"#,
        r#"{"action":"unsubscribe"}"#,
        r#"{"action":"typing","channel_id":"x"}"#,
        r#"{"action":"typing","channel_id":5,"is_typing":true}"#,
    ] {
        futures_util::SinkExt::send(&mut ann.0, Message::text(wrong)).await.unwrap();
        let answer = ann.next().await;
        assert_eq!(
            (&answer["type"], &answer["data"]["code"]),
            (&json!("error"), &json!("invalid_request")),
            "{wrong}"
        );
    }
    ann.say(json!({"action": "typing", "channel_id": "none", "is_typing": true})).await;
    assert_eq!(ann.next().await["data"]["code"], "not_found");
    ann.say(json!({"action": "ping"})).await;
    let pong = ann.next().await;
    assert_eq!((&pong["type"], &pong["data"]), (&json!("pong"), &json!({})));
    // What is not subscribed to any more is not heard.
    let topic = format!("channel:{id}");
    ann.subscribe(&[&topic, &topic], json!(null)).await;
    say(&server.user("ann"), &id, "one").await;
    assert_eq!(ann.heard(&server).await.len(), 1);
    ann.say(json!({"action": "unsubscribe", "channels": [topic]})).await;
    assert_eq!(ann.until("unsubscribed").await.1["data"]["channels"], json!([topic]));
    say(&server.user("ann"), &id, "two").await;
    assert_eq!(ann.heard(&server).await.len(), 0);
    server.end().await;
}

#[tokio::test]
async fn typing_is_heard_and_not_kept() {
    let server = Server::start().await;
    let id = channel(&server, "private", "ann", &["bob"]).await;
    let topic = format!("channel:{id}");
    let mut ann = Realtime::open(&server, "ann").await;
    let (_, answer) = ann.subscribe(&[&topic], json!(null)).await;
    let mut bob = Realtime::open(&server, "bob").await;
    bob.say(json!({"action": "typing", "channel_id": id, "is_typing": true})).await;
    bob.say(json!({"action": "ping"})).await;
    bob.until("pong").await;
    let heard = ann.heard(&server).await;
    let data = json!({"channel_id": id, "user_id": "bob", "username": "bob", "is_typing": true});
    assert_eq!(bare(&heard), [("user_typing".to_owned(), data)]);
    assert!(heard[0].get("seq").is_none() && heard[0].get("epoch").is_none());
    server.user("bob").post(&format!("/channels/{id}/typing"), json!({"is_typing": false})).await.expect(204);
    assert_eq!(ann.heard(&server).await[0]["data"]["is_typing"], false);
    assert_eq!(
        server.user("eve").post(&format!("/channels/{id}/typing"), json!({"is_typing": true})).await.status,
        403
    );
    let after = json!({&topic: answer["data"]["positions"][&topic]});
    let mut again = Realtime::open(&server, "ann").await;
    let (missed, _) = again.subscribe(&[&topic], after).await;
    assert_eq!(missed.len(), 0);
    within("the end", server.end()).await;
}
