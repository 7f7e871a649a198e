//! The delivery's metrics, by the numbers: as the runner shows them, and as a function writes them for CloudWatch.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ConversationId, Dialect, Timestamp, UserId};
use functions::metrics::{DIMENSION, MOST_VALUES, NAMESPACE};
use handlers::{
    delivery::{division, road::Settings},
    metrics::{Metric, Unit},
};
use serde_json::{Value, json};
use store::connection::Connection;
use switchboard::{Options, connections::PostError};
use tokio::net::TcpSocket;
use tokio_tungstenite::client_async;

use super::{in_processes, json_lines, shown};
use crate::{
    channels::Realtime,
    harness::{Server, within},
};

/// A server whose fan-out serves its audiences itself, however the tests are run.
async fn small_audiences(change: impl FnOnce(&mut Options)) -> Server {
    Server::in_process_with(|options| {
        options.road = Settings::default();
        change(options);
    })
    .await
}

/// What is shown and not 0, without the lag's buckets.
async fn counted(server: &Server) -> BTreeMap<String, u64> {
    let mut shown = shown(server).await;
    shown.retain(|name, count| *count > 0 && !name.contains("_bucket"));
    let name = |name: String| name.trim_start_matches("switchboard_").trim_end_matches("_total").to_owned();
    shown.into_iter().map(|(long, count)| (name(long), count)).collect()
}

fn numbers(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// A socket of the user's that never reads, and for which nothing more can be kept.
async fn deaf(server: &Server, user: &str) -> impl Sized {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.running.address).await.unwrap();
    let url = format!("ws://{}/api/v1/events?token={}", server.running.address, server.token(user));
    let socket = within("a handshake", client_async(url, stream)).await.unwrap().0;
    let now = Timestamp::from_millis(server.clock.now());
    let connections = server.running.context.store.connections(&UserId::parse(user).unwrap(), now).await;
    let open = server.running.connections.get(&connections.unwrap()[0].id).unwrap();
    // Until even the smallest frame is refused, however long the machine takes to move what was taken on its way.
    for size in [90_000, 1] {
        let mut refused = 0;
        while refused < 100 {
            match open.post("x".repeat(size).into()) {
                Ok(()) => refused = 0,
                Err(PostError::Full) => refused += 1,
                Err(PostError::Gone) => panic!("{user}'s socket is gone"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_listener_hears_one_is_gone_and_one_is_parked() {
    let server = small_audiences(|_| {}).await;
    server.make_users(&["ann", "bob", "cat", "dan"]).await;
    let room = server.make_conversation("private", &["ann", "bob", "cat", "dan"]).await;
    let mut bob = server.listen("bob").await;
    let deaf = deaf(&server, "cat").await;
    let (id, since) = ("nobody".to_owned(), Timestamp::default());
    let gone = Connection {
        id,
        user: UserId::parse("dan").unwrap(),
        dialect: Dialect::Events,
        since,
        arrays: false,
    };
    server
        .running
        .context
        .store
        .put_connection(&gone, Timestamp::from_millis(server.clock.now()))
        .await
        .unwrap();
    assert_eq!(counted(&server).await, BTreeMap::new(), "so far nobody was told anything");

    let mark = server.recorder.mark();
    server.user("ann").send(&room, "hello").await;
    assert!(!server.heard(&mut bob).await.is_empty());
    let done = server.recorder.since(mark, "fan-out");
    let posts: Vec<_> = done.iter().filter(|one| one.name == "PostToConnection").collect();
    let taken = u64::try_from(posts.iter().filter(|post| !post.failed).count()).unwrap();
    let refused = u64::try_from(posts.iter().filter(|post| post.failed).count()).unwrap();
    assert!(refused > 2, "one 410, the others 429: {refused}");
    let mut expected = numbers(&[
        ("posts", taken),
        ("gone", 1),
        ("throttled", refused - 1),
        ("parked", 1),
        // One entry was told, and the clock stood still.
        ("fan_out_lag_milliseconds_count", 1),
    ]);
    assert_eq!(counted(&server).await, expected);

    let late = shown(&server).await["switchboard_fan_out_lag_milliseconds_sum"];
    assert_eq!(late, 0);
    // Those two are forgotten: the next message is for who is left.
    server.user("ann").send(&room, "again").await;
    server.heard(&mut bob).await;
    expected.extend(numbers(&[("posts", 2 * taken), ("fan_out_lag_milliseconds_count", 2)]));
    assert_eq!(counted(&server).await, expected);
    drop(deaf);
    server.end().await;
}

#[tokio::test]
async fn the_lag_is_from_the_write_to_the_posts() {
    let template = crate::road::template_without("  FanOutFunction:\n");
    let server = small_audiences(|options| options.template = Some(template)).await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    let mut bob = server.listen("bob").await;
    let number = server.number(&room).await;
    let before = server.running.context.store.tail(number).await.unwrap().unwrap().place.seq;
    for text in ["one", "two"] {
        server.user("ann").send(&room, text).await;
        server.clock.step(200);
    }
    server.clock.step(50);
    server.deliver_after(&room, before.0).await;
    server.heard(&mut bob).await;
    let shown = shown(&server).await;
    let lag = |name: &str| shown[&format!("switchboard_fan_out_lag_milliseconds_{name}")];
    assert_eq!((lag("sum"), lag("count")), (450 + 250, 2));
    assert_eq!([lag("bucket{le=\"100\"}"), lag("bucket{le=\"250\"}"), lag("bucket{le=\"500\"}")], [0, 1, 2]);
    server.end().await;
}

#[tokio::test]
async fn a_chunk_that_is_published_is_delivered() {
    let server = Server::in_process_with(|options| options.road.large_audience = 2).await;
    let members = ["ann", "bob", "cat", "dan", "eve"];
    server.make_users(&members).await;
    let room = server.make_conversation("private", &members).await;
    let mut bob = server.listen("bob").await;
    let before = counted(&server).await;
    server.user("ann").send(&room, "to many").await;
    server.heard(&mut bob).await;
    let id = ConversationId::parse(room.as_str()).unwrap();
    let division = server.running.context.store.division(&id).await.unwrap().unwrap();
    let shards = u64::try_from(division::shards(&division).len()).unwrap();
    assert!(shards > 1);
    let after = counted(&server).await;
    let more = |name: &str| after[name] - before.get(name).copied().unwrap_or_default();
    assert_eq!([more("chunks_published"), more("chunks_delivered")], [shards, shards]);
    assert_eq!(more("fan_out_lag_milliseconds_count"), 1, "only one shard has somebody who hears");
    server.end().await;
}

#[tokio::test]
async fn who_resumes_is_counted_by_what_was_told() {
    let server = small_audiences(|_| {}).await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    let topic = format!("channel:{room}");
    let mut socket = Realtime::open(&server, "bob").await;
    let (_, fresh) = socket.subscribe(&[&topic, "user:bob"], json!(null)).await;
    let position = &fresh["data"]["positions"][&topic];
    assert_eq!(counted(&server).await, BTreeMap::new(), "who begins does not resume");
    server.user("ann").send(&room, "hello").await;
    server.settled().await;
    let others = counted(&server).await;
    let told = async |asked: Value| {
        let mut socket = Realtime::open(&server, "bob").await;
        let (_, answer) = socket.subscribe(&[&topic], asked).await;
        let mut counted = counted(&server).await;
        counted.retain(|name, _| !others.contains_key(name));
        (answer["data"]["positions"][&topic]["recovered"].clone(), counted)
    };
    assert_eq!(told(json!({ &topic: position })).await, (json!(true), numbers(&[("resumed", 1)])));
    let elsewhere = json!({ &topic: {"epoch": "another life", "seq": 1} });
    assert_eq!(told(elsewhere).await, (json!(false), numbers(&[("resumed", 1), ("reloads", 1)])));
    assert_eq!(
        told(json!({ &topic: null })).await,
        (json!(false), numbers(&[("resumed", 1), ("reloads", 1)]))
    );
    server.end().await;
}

/// What CloudWatch asks of a line ("Specification: Embedded metric format").
fn assert_is_embedded_metric_format(line: &Value) {
    let root = line.as_object().unwrap();
    assert!(line.to_string().len() < 256 * 1024, "the largest log event");
    let aws = root["_aws"].as_object().unwrap();
    assert_eq!(Vec::from_iter(aws.keys()), ["CloudWatchMetrics", "Timestamp"], "and nothing else");
    let since = 2_000_000_000_000 - aws["Timestamp"].as_i64().unwrap();
    assert!((0..1_000_000_000_000).contains(&since), "milliseconds since 1970: {aws:?}");
    for directive in aws["CloudWatchMetrics"].as_array().unwrap() {
        let directive = directive.as_object().unwrap();
        assert_eq!(Vec::from_iter(directive.keys()), ["Dimensions", "Metrics", "Namespace"]);
        let namespace = directive["Namespace"].as_str().unwrap();
        assert!((1..=255).contains(&namespace.len()) && !namespace.starts_with(':'));
        for set in directive["Dimensions"].as_array().unwrap() {
            let set = set.as_array().unwrap();
            assert!(set.len() <= 30);
            for dimension in set {
                let value = root[dimension.as_str().unwrap()].as_str().unwrap();
                assert!((1..=1024).contains(&value.len()) && value.is_ascii() && !value.starts_with(':'));
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        let names: BTreeSet<&str> = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
        assert_eq!(names.len(), metrics.len(), "each is named once");
        for metric in metrics {
            assert_eq!(Vec::from_iter(metric.as_object().unwrap().keys()), ["Name", "Unit"]);
            let name = metric["Name"].as_str().unwrap();
            let known = Metric::ALL.into_iter().find(|metric| metric.name() == name).unwrap();
            assert_eq!(metric["Unit"], known.unit().name());
            match &root[name] {
                Value::Number(count) => assert!(known.unit() == Unit::Count && count.as_u64().unwrap() > 0),
                Value::Array(values) => {
                    assert!((1..=MOST_VALUES).contains(&values.len()));
                    assert!(values.iter().all(Value::is_u64));
                }
                other => panic!("{name}: {other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_function_writes_one_line_for_a_call_that_counted_and_none_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let (server, log) = in_processes(folder.path()).await;
    server.make_users(&["ann", "bob"]).await;
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    let mut bob = server.listen("bob").await;
    server.user("ann").send(&room, "hello").await;
    let told = server.heard(&mut bob).await;
    server.user("bob").messages(&room).await;
    // They count where they run.
    server.api(Vec::new()).get("/metrics").await.expect(404);
    server.end().await;

    let lines = json_lines(&log);
    let lines: Vec<&Value> = lines.iter().filter(|line| line.get("_aws").is_some()).collect();
    let mut calls = BTreeSet::new();
    for line in &lines {
        assert_is_embedded_metric_format(line);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], NAMESPACE);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[DIMENSION]]));
        // What Lambda filters by: INFO passes, as the template sets the level.
        assert_eq!(line["level"], "INFO");
        assert!(calls.insert(line["requestId"].as_str().unwrap()), "one line for a call: {line}");
        assert_eq!(line["function"], "fan-out", "nothing else was posted");
    }
    let sum =
        |name: &str| lines.iter().filter_map(|line| line.get(name)).filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(sum("Posts"), u64::try_from(told.len()).unwrap());
    let lags: Vec<&Value> = lines.iter().filter_map(|line| line["FanOutLag"].as_array()).flatten().collect();
    assert_eq!(lags.len(), 1, "one entry was told, to one who listened");
}
