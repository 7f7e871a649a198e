//! Every recorded exchange, up to uuids and times.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Listener, heard, open, signed};
use crate::harness::Server;

/// What was recorded, and what it is here.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|byte| *byte == b'-').count() == 4
}

fn is_time(text: &str) -> bool {
    text.len() >= 19 && text.get(4..5) == Some("-") && text.get(10..11) == Some("T")
}

impl Names {
    /// The recorded text with the uuids of here.
    fn here(&self, recorded: &str) -> String {
        self.0.iter().fold(recorded.to_owned(), |text, (then, now)| text.replace(then, now))
    }

    /// Whether both say the same; learns which uuid stands for which.
    fn same(&mut self, recorded: &Value, found: &Value, at: &str) {
        match (recorded, found) {
            (Value::String(then), Value::String(now)) if is_uuid(then) => {
                assert!(is_uuid(now), "{at}: {now}");
                let known = self.0.entry(then.clone()).or_insert_with(|| now.clone());
                assert_eq!(known, now, "{at}: another uuid");
            }
            (Value::String(then), Value::String(now)) if is_time(then) => {
                assert!(is_time(now) && now.len() == then.len(), "{at}: {now}");
            }
            (Value::Array(then), Value::Array(now)) => {
                assert_eq!(then.len(), now.len(), "{at}: {recorded} and {found}");
                let (mut then, mut now) = (then.clone(), now.clone());
                // Users come in the order of a set.
                if at.ends_with(".users") {
                    then.sort_by_key(|one| one["user"].to_string());
                    now.sort_by_key(|one| one["user"].to_string());
                }
                for (index, (then, now)) in then.iter().zip(&now).enumerate() {
                    self.same(then, now, &format!("{at}[{index}]"));
                }
            }
            (Value::Object(then), Value::Object(now)) => {
                let keys = |object: &domain::Object| object.keys().cloned().collect::<Vec<_>>();
                assert_eq!(keys(then), keys(now), "{at}");
                for (key, then) in then {
                    self.same(then, &now[key], &format!("{at}.{key}"));
                }
            }
            _ => assert_eq!(recorded, found, "{at}"),
        }
    }
}

/// The recorder's server had more channels and users before.
fn forget_earlier(recorded: &mut Value, found: &Value) {
    if let Some(channels) = recorded.get_mut("channels").and_then(Value::as_object_mut) {
        channels.retain(|name, _| found["channels"].get(name).is_some());
    }
    for count in
        ["remembered_user_count", "total_channels", "total_messages", "total_unique_messages", "uptime"]
    {
        if recorded.get(count).is_some() {
            recorded[count] = found[count].clone();
        }
    }
}

async fn replay(recording: &str) {
    let server = Server::start().await;
    let mut names = Names::default();
    let mut listeners: BTreeMap<String, Listener> = BTreeMap::new();
    let mut gone: BTreeMap<String, Listener> = BTreeMap::new();
    let mut expected: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut count = 0;
    let lines: Vec<Value> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        server.clock.step(1);
        let client = line["client"].as_str().unwrap_or_default().to_owned();
        match line["kind"].as_str().unwrap() {
            "ws_frame" => {
                // The heartbeat is `[]`.
                let events = line["json"].as_array().unwrap().iter().cloned();
                expected.entry(client).or_default().extend(events);
                continue;
            }
            "ws_open" => {
                let path = names.here(line["path"].as_str().unwrap());
                let id = path.split('=').next_back().unwrap();
                listeners.insert(client.clone(), open(&server, &client, id).await);
                continue;
            }
            "ws_close" => {
                // One that was disconnected is closed by the server; the others the recorder closed at the end.
                if let Some(closed) = gone.remove(&client) {
                    closed.socket.wait_until("a close", |heard| heard.closed.is_some()).await;
                } else {
                    check_frames(&server, &mut names, &mut listeners, &mut expected).await;
                    listeners.remove(&client).unwrap();
                }
                continue;
            }
            _ => {}
        }
        check_frames(&server, &mut names, &mut listeners, &mut expected).await;
        let label = line["label"].as_str().unwrap();
        let api = if line["request_raw"].as_str().unwrap().contains("x-channelstream-secret") {
            signed(&server)
        } else {
            server.api(Vec::new())
        };
        let body = match &line["request_body"] {
            Value::Null => None,
            body => Some(serde_json::from_str(&names.here(&body.to_string())).unwrap()),
        };
        let path = names.here(line["path"].as_str().unwrap());
        let answer = api.ask(line["method"].as_str().unwrap(), &path, body).await;
        let status = line["status"].as_str().unwrap();
        assert!(status.contains(&format!(" {} ", answer.status)), "{label}: {status}, {answer:?}");
        let mut recorded = line["response_json"].clone();
        if label.starts_with("info") || label.starts_with("admin") {
            forget_earlier(&mut recorded, &answer.body);
        }
        names.same(&recorded, &answer.body, label);
        count += 1;
        // The original closes a socket within a second; its listener is gone at once here.
        if label.starts_with("disconnect") && answer.body == true {
            let id = body_or_query(line, &names);
            let client = listeners.iter().find(|(_, one)| one.id == id).map(|(client, _)| client.clone());
            let client = client.unwrap();
            gone.insert(client.clone(), listeners.remove(&client).unwrap());
        }
    }
    check_frames(&server, &mut names, &mut listeners, &mut expected).await;
    assert!(count > 5);
    server.end().await;
}

fn body_or_query(line: &Value, names: &Names) -> String {
    let id = line["request_body"]["conn_id"].as_str();
    names.here(id.unwrap_or_else(|| line["path"].as_str().unwrap().split('=').next_back().unwrap()))
}

async fn check_frames(
    server: &Server,
    names: &mut Names,
    listeners: &mut BTreeMap<String, Listener>,
    expected: &mut BTreeMap<String, Vec<Value>>,
) {
    for (client, listener) in listeners {
        let events = heard(server, listener).await;
        let recorded = expected.remove(client).unwrap_or_default();
        names.same(&Value::Array(recorded), &Value::Array(events), &format!("frames of {client}"));
    }
}

#[tokio::test]
async fn the_seed_s_six_operations_are_as_recorded() {
    replay(include_str!("../../../fixtures/channelstream/01_seed_operations.jsonl")).await;
}

#[tokio::test]
async fn connecting_presence_and_state_are_as_recorded() {
    replay(include_str!("../../../fixtures/channelstream/03_connect_subscribe_presence_state.jsonl")).await;
}
