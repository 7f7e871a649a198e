//! Every exchange that was recorded from the original, sent again and compared up to ids and times.
//!
//! Where this dialect differs on purpose (`docs/compatibility.md`), the recording is read so: before a login
//! nothing is done; a missing object is always "Object not found"; passwords are never shown; a subscription
//! without a type hears the seed's spelling; `*` is any.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Client, rpc, token};
use crate::harness::Server;

const RECORDED: &str = include_str!("../../../fixtures/nkchat/recorded.jsonl");

/// Users who exist because they logged in: the original knew none of them.
const LOGGED_IN: [&str; 5] =
    ["user@domain.com", "b@domain.com", "c@domain.com", "d@domain.com", "e@domain.com"];
/// Searches of users, by their `tid`, that find those too.
const WIDE_SEARCHES: [u64; 5] = [13, 14, 15, 17, 18];
/// Searches whose order is asked for.
const SORTED_SEARCHES: [u64; 2] = [15, 17];

/// Our ids, by the recorded ones.
type Ids = BTreeMap<String, String>;

fn is_id(text: &str) -> bool {
    text.len() == 27 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What was recorded, in our ids.
fn ours(recorded: &Value, ids: &Ids) -> Value {
    let text = |text: &String| ids.get(text).unwrap_or(text).clone();
    match recorded {
        Value::String(it) => text(it).into(),
        Value::Array(all) => all.iter().map(|one| ours(one, ids)).collect(),
        Value::Object(all) => {
            Value::Object(all.iter().map(|(key, value)| (text(key), ours(value, ids))).collect())
        }
        other => other.clone(),
    }
}

/// Whether the two are the same up to ids and times; ids that are met for the first time are learned.
fn same(recorded: &Value, is: &Value, in_order: bool, ids: &mut Ids) -> bool {
    match (recorded, is) {
        (Value::String(recorded), Value::String(is)) => {
            if let Some(known) = ids.get(recorded) {
                return known == is;
            }
            if is_id(recorded) {
                ids.insert(recorded.clone(), is.clone());
                return true;
            }
            recorded == is
        }
        (Value::Array(recorded), Value::Array(is)) if in_order => {
            recorded.len() == is.len()
                && recorded.iter().zip(is).all(|(one, other)| same(one, other, true, ids))
        }
        (Value::Array(recorded), Value::Array(is)) => {
            let mut left: Vec<&Value> = is.iter().collect();
            recorded.len() == is.len()
                && recorded.iter().all(|one| {
                    let mut learned = ids.clone();
                    let at = left.iter().position(|other| same(one, other, false, &mut learned));
                    at.is_some_and(|at| {
                        left.remove(at);
                        *ids = learned;
                        true
                    })
                })
        }
        (Value::Object(recorded), Value::Object(is)) => {
            recorded.len() == is.len()
                && recorded.iter().all(|(key, one)| {
                    let key = ids.get(key).unwrap_or(key).clone();
                    let Some(other) = is.get(&key) else { return false };
                    match key.as_str() {
                        "created_time" => one.is_i64() && other.is_i64(),
                        _ => same(one, other, in_order, ids),
                    }
                })
        }
        (recorded, is) => recorded == is,
    }
}

/// What was recorded, with what is different here on purpose.
fn as_decided(client: &str, mut frame: Value) -> Value {
    if client == "prelogin" {
        let data = json!({"code": "not_authenticated", "error": "Not authenticated"});
        return json!({"tid": frame["tid"], "result": "error", "data": data});
    }
    if frame["data"]["code"] == "obj_not_found" {
        frame["data"]["error"] = "Object not found".into();
    }
    for (type_is, spelled) in [("added_members", "added_memebers"), ("removed_members", "removed_memebers")] {
        if frame["data"]["type"] == type_is {
            frame["data"]["type"] = spelled.into();
        }
    }
    without_passwords(frame)
}

fn without_passwords(value: Value) -> Value {
    match value {
        Value::Object(all) => {
            let shown = all.into_iter().filter(|(key, _)| key != "password");
            Value::Object(shown.map(|(key, value)| (key, without_passwords(value))).collect())
        }
        Value::Array(all) => all.into_iter().map(without_passwords).collect(),
        other => other,
    }
}

/// An answer to a search of users, without those who only logged in.
fn without_logged_in(mut frame: Value) -> Value {
    let listed = |one: &Value| LOGGED_IN.iter().any(|id| one["_id"] == *id);
    if frame["tid"].as_u64().is_some_and(|tid| WIDE_SEARCHES.contains(&tid)) {
        frame["data"]["total"] = json!(frame["data"]["total"].as_u64().unwrap() - 5);
        frame["data"]["data"].as_array_mut().unwrap().retain(|one| !listed(one));
    }
    frame
}

#[tokio::test]
async fn every_recorded_exchange_is_reproduced() {
    let server = Server::start().await;
    let mut clients: BTreeMap<String, Client> = BTreeMap::new();
    let mut ids = Ids::new();
    for line in RECORDED.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let name = line["client"].as_str().unwrap().to_owned();
        if !clients.contains_key(&name) {
            clients.insert(name.clone(), Client::open(&server).await);
        }
        let client = clients.get_mut(&name).unwrap();
        match line["dir"].as_str().unwrap() {
            ">" if line["json"]["class"].is_null() && line["json"]["result"].is_null() => {
                client.send(line["raw"].as_str().unwrap()).await;
            }
            ">" => {
                let mut frame = ours(&line["json"], &ids);
                if frame["cmd"] == "login" && LOGGED_IN.iter().any(|id| frame["data"]["user"] == *id) {
                    let user = frame["data"]["user"].as_str().unwrap().to_owned();
                    frame["data"]["password"] = token(&server, &user, true).into();
                }
                client.send(&frame.to_string()).await;
            }
            "<" => {
                let recorded = as_decided(&name, line["json"].clone());
                let tid = recorded["tid"].as_u64().unwrap_or_default();
                let in_order = name == "A" && SORTED_SEARCHES.contains(&tid);
                let mut learned = ids.clone();
                let is_it = |frame: &Value| {
                    let mut trying = ids.clone();
                    let frame = if name == "A" { without_logged_in(frame.clone()) } else { frame.clone() };
                    let is = same(&recorded, &frame, in_order, &mut trying);
                    if is {
                        learned = trying;
                    }
                    is
                };
                println!("{name} expects {recorded}");
                client.take(is_it).await;
                ids = learned;
            }
            _ if name == "prelogin" => {
                // The original made this user for nobody.
                let user = json!({"login": "x@y", "name": "N", "password": "p"});
                let made = rpc(&server, "user", "create", user).await;
                let id = made["user_id"].as_str().unwrap().to_owned();
                ids.insert("a7mF4fYnEUDCxvDhYDT8hh11jFT".to_owned(), id);
            }
            _ => assert_eq!(line["raw"], format!("closed {}", client.closed().await), "{name}"),
        }
    }
    server.settled().await;
    for (name, client) in &clients {
        let left = client.heard.borrow().frames.clone();
        // Its `*` matched nothing in the original.
        let left: Vec<&Value> =
            left.iter().filter(|one| name != "Estar" || one["data"]["subclass"] != "user").collect();
        assert!(left.is_empty(), "{name} also heard {left:#?}");
    }
    drop(clients);
    server.end().await;
}
