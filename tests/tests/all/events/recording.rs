//! What the official web client did, done again.

use serde_json::{Value, json};

use super::{browser::Browser, sign_up};
use crate::harness::{Server, socket::Socket};

const RECORDED: &str = include_str!("../../../fixtures/events/web-client-traffic.jsonl");

/// The same up to ids, times, and what the recorded server alone knew: who had pinned a room. What ours says
/// beside it is left out.
fn plain(mut frame: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(object) => {
                object.remove("name");
                object.remove("isPinned");
                if let Some(last) = object.get_mut("lastMessage").and_then(Value::as_object_mut) {
                    last.remove("userId");
                }
                for (key, value) in object {
                    if key.ends_with("Utc") || ["messageId", "roomId"].contains(&key.as_str()) {
                        assert!(value.as_u64().is_some(), "{key}: {value}");
                        *value = json!("a number");
                    } else {
                        walk(value);
                    }
                }
            }
            Value::Array(array) => array.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut frame["data"]);
    frame
}

#[tokio::test]
async fn the_web_client_s_traffic_is_answered_as_it_was() {
    let server = Server::start().await;
    sign_up(&server, &["admin", "bob"]).await;
    let general = json!({"title": "General", "type": "private", "isGroup": true, "members": ["bob"]});
    let made = server.user("admin").post("/v2/conversations", general).await.expect(201);
    let room = server.number(made["id"].as_str().unwrap()).await.0;
    server.user("bob").send(made["id"].as_str().unwrap(), "hello from bob").await;
    let mut browser = Browser::new(&server, "admin");
    let mut socket: Option<Socket> = None;
    let mut hello = 0;
    let mut due: Vec<Value> = Vec::new();
    let mut got: Vec<Value> = Vec::new();
    for line in RECORDED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "event" {
            due.push(json!({"type": line["type"], "data": line["data"]}));
            continue;
        }
        server.clock.step(10);
        let url = line["url"].as_str().unwrap();
        let path = url.replace("/rooms/2/", &format!("/rooms/{room}/"));
        let path = path.replace("/messages/2000124/", &format!("/messages/{hello}/"));
        let body = line["body"].as_str().unwrap_or_default().to_owned();
        match url {
            _ if line["upgrade"] == "websocket" => socket = Some(browser.listen(&server).await.unwrap()),
            "/api/v1/login" => {
                let body = body.replace(":\"admin\"}", ":\"admin's password\"}");
                let page = browser.ask("POST", &path, body).await;
                browser.keep(&page);
                assert_eq!(page.expect(200)["userId"], 1);
            }
            "/api/v1/status" => drop(browser.get(&path).await.expect(401)),
            // The recorder's own.
            "/api/v1/_test_room" => {
                let new = json!({"displayName": "New Room", "roomType": "Public"});
                let made = browser.post("/api/v1/rooms", new).await.expect(200)["room"]["roomId"].clone();
                got.extend(server.heard(socket.as_mut().unwrap()).await);
                let name = json!({"displayName": "Updated Room Name"});
                browser.put(&format!("/api/v1/rooms/{made}"), name).await.expect(200);
            }
            _ => {
                let page = browser.ask(line["method"].as_str().unwrap(), &path, body).await;
                let body = page.expect(if url.ends_with("avatar.jpg") { 404 } else { 200 });
                if url.contains("direction=backward") {
                    assert_eq!(body["roomId"], room);
                    hello = body["messages"][0]["messageId"].as_u64().unwrap();
                }
            }
        }
        if let Some(socket) = &mut socket {
            got.extend(server.heard(socket).await);
        }
    }
    // The client says twice that it has read. The recorded server told both; here the second changes nothing.
    due.drain(4..6);
    let plain = |frames: Vec<Value>| frames.into_iter().map(plain).collect::<Vec<_>>();
    assert_eq!(plain(got), plain(due));
    server.end().await;
}
