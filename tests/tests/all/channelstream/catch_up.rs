//! What was missed: in order, once, as it is by now, and only what may still be told. Nothing here waits for the stream
//! before a socket is opened or a poll begins.

use serde_json::{Value, json};

use super::{connect, heard, open_at_once, send, signed};
use crate::harness::{Server, unique};

/// How often each race is run.
const TIMES: usize = 8;

fn texts(events: &[Value]) -> Vec<String> {
    let text = |event: &Value| event["message"]["text"].as_str().map(str::to_owned);
    events.iter().map(|event| text(event).unwrap_or_else(|| event["type"].to_string())).collect()
}

fn id_of(connected: &Value) -> &str {
    connected["conn_id"].as_str().unwrap()
}

fn message(room: &str, text: &str) -> Value {
    json!({"channel": room, "user": "ann", "message": {"text": text}})
}

#[tokio::test]
async fn what_was_missed_comes_in_order_before_all_else() {
    let server = Server::start().await;
    for n in 0..TIMES {
        let room = format!("room-{n}");
        let connected = connect(&server, "bob", &[&room], json!({})).await;
        for text in ["0", "1", "2", "3", "4"] {
            send(&server, message(&room, text)).await;
        }
        server.clock.step(1);
        let mut bob = open_at_once(&server, "bob", id_of(&connected)).await;
        server.clock.step(1);
        for text in ["5", "6", "7"] {
            send(&server, message(&room, text)).await;
        }
        let told = heard(&server, &mut bob).await;
        assert_eq!(texts(&told), ["0", "1", "2", "3", "4", "5", "6", "7"]);
        let missed: Vec<bool> = told.iter().map(|event| event["catchup"] == true).collect();
        assert_eq!(missed, [true, true, true, true, true, false, false, false]);
    }
    server.end().await;
}

#[tokio::test]
async fn what_was_deleted_or_edited_before_is_not_told_as_it_was() {
    let server = Server::start().await;
    for n in 0..TIMES {
        let room = format!("room-{n}");
        let connected = connect(&server, "bob", &[&room], json!({})).await;
        let gone = send(&server, message(&room, "gone")).await;
        let old = send(&server, message(&room, "old")).await;
        let delete = json!([{"channel": room, "uuid": gone["uuid"]}]);
        signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
        let edit = json!([{"channel": room, "uuid": old["uuid"], "message": {"text": "new"}}]);
        signed(&server).ask("PATCH", "/message", Some(edit)).await.expect(200);
        server.clock.step(1);
        let mut bob = open_at_once(&server, "bob", id_of(&connected)).await;
        let told = heard(&server, &mut bob).await;
        let types: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["message", "message:delete", "message:edit"], "{told:?}");
        assert_eq!((&told[0]["uuid"], &told[0]["message"]), (&old["uuid"], &json!({"text": "new"})));
        assert_eq!(told[1]["uuid"], gone["uuid"]);
    }
    server.end().await;
}

#[tokio::test]
async fn a_second_socket_takes_over_what_waits() {
    let server = Server::start().await;
    for n in 0..TIMES {
        let room = format!("room-{n}");
        let connected = connect(&server, "bob", &[&room], json!({})).await;
        let _first = open_at_once(&server, "bob", id_of(&connected)).await;
        server.settled().await;
        let second = open_at_once(&server, "bob", id_of(&connected)).await;
        for text in ["0", "1", "2"] {
            send(&server, message(&room, text)).await;
        }
        let mut second = second;
        assert_eq!(texts(&heard(&server, &mut second).await), ["0", "1", "2"]);
        server.clock.step(1);
        send(&server, message(&room, "3")).await;
        let mut third = open_at_once(&server, "bob", id_of(&connected)).await;
        send(&server, message(&room, "4")).await;
        let all: Vec<String> =
            texts(&heard(&server, &mut third).await).into_iter().filter(|text| text != "3").collect();
        assert_eq!(all, ["4"], "what was written before may have come to either");
    }
    server.end().await;
}

/// What a poll and a socket of bob's are told after `then` was done to what waits in the room.
async fn told_after(server: &Server, then: impl AsyncFn(String, Value)) {
    for polls in [true, false] {
        let room = unique("room");
        let channels = [room.as_str(), "other"];
        let connected = connect(server, "bob", &channels, json!({})).await;
        server.acting_for("ann").post(&format!("/channels/{room}/members"), json!({})).await.expect(201);
        send(server, message(&room, "waits")).await;
        send(server, message("other", "stays")).await;
        then(room.clone(), connected.clone()).await;
        server.clock.step(1);
        let told = if polls {
            let path = format!("/listen?conn_id={}", id_of(&connected));
            server.settled().await;
            server.api(Vec::new()).get(&path).await.expect(200).as_array().unwrap().clone()
        } else {
            let mut bob = open_at_once(server, "bob", id_of(&connected)).await;
            heard(server, &mut bob).await
        };
        assert_eq!(texts(&told), ["stays"], "polls: {polls}");
    }
}

#[tokio::test]
async fn what_waits_of_a_conversation_that_one_was_banned_from_is_not_told() {
    let server = Server::start().await;
    told_after(&server, async |room, _| {
        let ban = json!({"user_id": "bob", "motive": "spam"});
        server.server().post(&format!("/channels/{room}/bans"), ban).await.expect(201);
    })
    .await;
    server.end().await;
}

#[tokio::test]
async fn what_waits_of_a_conversation_that_was_deleted_is_not_told() {
    let server = Server::start().await;
    told_after(&server, async |room, _| {
        server.server().ask("DELETE", &format!("/channels/{room}"), None).await;
    })
    .await;
    server.end().await;
}

#[tokio::test]
async fn what_waits_of_a_channel_that_is_subscribed_to_no_more_is_not_told() {
    let server = Server::start().await;
    told_after(&server, async |room, connected| {
        let body = json!({"conn_id": connected["conn_id"], "channels": [room]});
        signed(&server).post("/unsubscribe", body).await.expect(200);
    })
    .await;
    server.end().await;
}

#[tokio::test]
async fn a_poll_has_missed_what_was_before_it_however_late_the_stream_is() {
    let server = Server::start().await;
    for n in 0..TIMES {
        let room = format!("room-{n}");
        let connected = connect(&server, "bob", &[&room], json!({})).await;
        let path = format!("/listen?conn_id={}", id_of(&connected));
        let gone = send(&server, message(&room, "gone")).await;
        send(&server, message(&room, "kept")).await;
        let delete = json!([{"channel": room, "uuid": gone["uuid"]}]);
        signed(&server).ask("DELETE", "/message", Some(delete)).await.expect(200);
        server.clock.step(1);
        let told = server.api(Vec::new()).get(&path).await.expect(200);
        let told = told.as_array().unwrap();
        let types: Vec<&Value> = told.iter().map(|event| &event["type"]).collect();
        assert_eq!(types, ["message", "message:delete"], "{told:?}");
        assert_eq!((&told[0]["catchup"], &told[1]["uuid"]), (&json!(true), &gone["uuid"]));
    }
    server.end().await;
}

#[tokio::test]
async fn the_newest_hundred_of_a_channel_are_caught_up_with() {
    let server = Server::start().await;
    let connected = connect(&server, "bob", &["room"], json!({})).await;
    for (from, to) in [(0, 60), (60, 120)] {
        let batch: Vec<Value> = (from..to).map(|n| message("room", &n.to_string())).collect();
        signed(&server).post("/message", json!(batch)).await.expect(200);
    }
    let pm = |n: usize| json!({"user": "ann", "pm_users": ["bob"], "message": {"text": format!("pm {n}")}});
    let pms: Vec<Value> = (0..55).map(pm).collect();
    signed(&server).post("/message", json!(pms)).await.expect(200);
    server.settled().await;
    server.clock.step(1);
    let mut bob = open_at_once(&server, "bob", id_of(&connected)).await;
    let told = texts(&heard(&server, &mut bob).await);
    let (room, own) = told.split_at(100);
    let newest: Vec<String> = (20..120).map(|n| n.to_string()).collect();
    assert_eq!(room, newest);
    assert_eq!(own.len(), 50, "{own:?}");
    server.end().await;
}
