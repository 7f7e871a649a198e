//! What was missed: in order, once, as it is by now, and only what may still be told. Nothing here waits for the stream
//! before a socket is opened or a poll begins.

use serde_json::{Value, json};

use super::{connect, heard, open_at_once, send, signed};
use crate::harness::Server;

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
