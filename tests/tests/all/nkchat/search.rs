//! What the searches cost when there is more than a page, and that they stay exact then.
//!
//! The figures are those of `docs/decisions/0012-search-without-an-index.md`.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::rpc;
use switchboard::dynamodb::Storage;

use crate::{channelstream::signed, harness::Server};

/// Messages of one call.
const BATCH: usize = 100;

/// How many there are of each: few, so that the suite stays quick; `SEARCH_OBJECTS=1000` gives the record's.
fn many() -> usize {
    std::env::var("SEARCH_OBJECTS").map_or(100, |many| many.parse().unwrap())
}

/// Users `u0…`, conversations `Team 0…` with one of them each, and messages of 200 bytes in the first.
async fn crowd(server: &Server) -> String {
    stream::iter(0..many())
        .for_each_concurrent(8, |n| async move {
            let user = json!({"id": format!("u{n}"), "displayName": format!("User {n}")});
            server.server().post("/v2/users", user).await.expect(201);
        })
        .await;
    let made = |n: usize| async move {
        let team = json!({"name": format!("Team {n}"), "user_ids": [format!("u{n}")]});
        rpc(server, "conversation", "create", team).await["conversation_id"].as_str().unwrap().to_owned()
    };
    let first = made(0).await;
    stream::iter(1..many()).for_each_concurrent(8, |n| async move { drop(made(n).await) }).await;
    for batch in 0..many() / BATCH {
        let text = |n: usize| format!("{:0>200}", batch * BATCH + n);
        let message = |n| json!({"channel": first, "user": "u0", "message": {"text": text(n)}});
        let all: Vec<Value> = (0..BATCH).map(message).collect();
        signed(server).post("/message", json!(all)).await.expect(200);
    }
    first
}

/// Searches; how many were found, and the read units.
async fn search(server: &Server, subclass: &str, data: Value) -> (u64, f64) {
    server.settled().await;
    let mark = server.recorder.mark();
    let found = rpc(server, subclass, "search", data).await;
    (found["total"].as_u64().unwrap(), server.recorder.cost(mark, "nkchat-rpc").reads)
}

/// A row of the record: what is searched, how many there are of it, and the read units that it may take.
type Row = (&'static str, Value, u64, f64);

fn rows(team: &str, many: u64) -> [Row; 9] {
    let objects = |each: f64| 5.0 + each * f64::from(u32::try_from(many).unwrap());
    [
        ("user", json!({"filter": {"_id": "u7"}}), 1, 1.0),
        ("user", json!({"filter": {"login": "u0@example.org"}}), 1, 2.0),
        ("user", json!({"fields": ["_all"]}), many + 1, 5.0 + objects(0.01)),
        ("user", json!({"filter": {"name": "User 7"}}), 1, objects(0.51)),
        ("conversation", json!({"filter": {"_id": team}}), 1, 1.0),
        ("conversation", json!({"filter": {"user_ids": "u7"}}), 1, 3.0),
        ("conversation", json!({"sort_by": ["name"]}), many, objects(0.51)),
        (
            "message",
            json!({"filter": {"conversation_id": team}, "sort_by": ["message"]}),
            many,
            objects(0.04),
        ),
        ("message", json!({"size": 0}), many, objects(2.1)),
    ]
}

#[tokio::test]
async fn all_are_found_exactly_at_the_documented_cost() {
    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("data.db");
    let filling = Server::start_with(|options| options.storage = Storage::File(path.clone())).await;
    let team = crowd(&filling).await;
    let login = json!({"login": "u0@example.org", "name": "Zero", "password": "a long password"});
    rpc(&filling, "user", "create", login).await;
    filling.end().await;
    for (subclass, data, due, most) in rows(&team, u64::try_from(many()).unwrap()) {
        // A process that has seen nothing yet.
        let server = Server::start_with(|options| options.storage = Storage::File(path.clone())).await;
        let (total, reads) = search(&server, subclass, data.clone()).await;
        println!("{subclass} {data}: {reads} read units");
        assert_eq!(total, due, "{subclass} {data}");
        assert!(reads <= most, "{subclass} {data}: {reads} read units, not {most}");
        server.end().await;
    }
}
