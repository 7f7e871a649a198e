//! What must not be done twice: a transaction for a batch, an encoding for a broadcast.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use domain::{ConversationId, Dialect, Timestamp, Topic, UserId};
use futures_util::{StreamExt as _, TryStreamExt as _, future::join_all, stream};
use handlers::{
    context::Context,
    delivery::fan_out,
    gateway::{Gateway, PostError, Sockets},
    invocation::{Invocation, Reply},
};
use serde_json::{Value, json};
use store::connection::Connection;

use super::{heard, listen, send, signed};
use crate::harness::{Server, unique};

#[tokio::test]
async fn a_batch_of_a_hundred_is_one_transaction() {
    let server = Server::start().await;
    let mut bob = listen(&server, "bob", &["room"]).await;
    let message = |n: usize| json!({"channel": "room", "user": "ann", "message": {"text": n.to_string()}});
    // Once before, so that all that need not be read again is known.
    send(&server, message(1000)).await;
    heard(&server, &mut bob).await;
    let mark = server.recorder.mark();
    let batch: Vec<Value> = (0..100).map(message).collect();
    signed(&server).post("/message", json!(batch)).await.expect(200);
    let done = server.recorder.since(mark, "channelstream-send-messages");
    let writes = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
    let writes: Vec<&str> =
        done.iter().map(|one| one.name.as_str()).filter(|name| writes.contains(name)).collect();
    assert_eq!(writes, ["TransactWriteItems"], "{done:?}");
    assert!(done.len() <= 8, "{done:?}");
    assert_eq!(heard(&server, &mut bob).await.len(), 100);
    server.end().await;
}

/// Takes frames for sockets that nobody has.
#[derive(Default)]
struct Taken(Mutex<BTreeMap<String, Vec<Bytes>>>);

impl Sockets for Taken {
    fn post(&self, dialect: Dialect, connection: &str, frame: Bytes) -> Result<(), PostError> {
        assert_eq!(dialect, Dialect::Channelstream);
        self.0.lock().unwrap().entry(connection.to_owned()).or_default().push(frame);
        Ok(())
    }

    fn close(&self, _: Dialect, connection: &str) {
        panic!("{connection} is closed");
    }
}

#[tokio::test]
async fn a_broadcast_to_a_thousand_sockets_is_encoded_once() {
    const SOCKETS: usize = 1_000;
    let server = Server::start().await;
    let standing = &server.running.context;
    let config = json!({"hall": {}});
    signed(&server).post("/channel_config", config).await.expect(200);
    let hall = Topic::Conversation(ConversationId::parse("hall").unwrap());
    let now = Timestamp::from_millis(server.clock.now());
    stream::iter(0..SOCKETS)
        .map(|n| {
            let hall = &hall;
            async move {
                let connection = Connection {
                    id: unique("listener"),
                    user: UserId::parse(format!("user-{}", n % 700)).unwrap(),
                    dialect: Dialect::Channelstream,
                    since: now,
                    arrays: false,
                };
                standing.store.subscribe(&connection, hall, Some(&format!("socket-{n}")), now).await
            }
        })
        .buffer_unordered(32)
        .try_collect::<Vec<()>>()
        .await
        .unwrap();
    let body = json!([
        {"channel": "hall", "user": "ann", "message": {"text": "to all"}},
        {"channel": "hall", "user": "ann", "message": {"text": "but one"}, "exclude_users": ["user-699"]},
    ]);
    signed(&server).post("/message", body).await.expect(200);

    let taken = Arc::new(Taken::default());
    let context = Arc::new(Context {
        road: handlers::delivery::road::Road::default(),
        store: standing.store.clone(),
        gateway: Gateway::Host(taken.clone()),
        attachments: standing.attachments.clone(),
        secrets: standing.secrets.clone(),
        clock: standing.clock.clone(),
        allowed_origins: Vec::new(),
    });
    let records = server.records("hall").await;
    let reply = (fan_out::ENDPOINT.handler)(context, Invocation::Stream(records)).await;
    assert!(matches!(&reply, Reply::Batch(failed) if failed.is_empty()), "{reply:?}");

    let taken = std::mem::take(&mut *taken.0.lock().unwrap());
    assert_eq!(taken.len(), SOCKETS);
    // Whoever hears the same has the very same bytes, not equal ones.
    let mut kept: BTreeMap<(usize, *const u8), usize> = BTreeMap::new();
    for frames in taken.values() {
        for (n, frame) in frames.iter().enumerate() {
            *kept.entry((n, frame.as_ptr())).or_default() += 1;
        }
    }
    let mut counts: Vec<usize> = kept.into_values().collect();
    counts.sort_unstable();
    // Two groups of listeners: all who hear both messages, and one who hears one of them.
    assert_eq!(counts, [1, SOCKETS - 1, SOCKETS - 1]);
    server.end().await;
}

#[tokio::test]
async fn a_hundred_sockets_all_hear_a_broadcast() {
    let server = Server::start().await;
    let mut listeners = Vec::new();
    for n in 0..100 {
        listeners.push(listen(&server, &format!("user-{n}"), &["hall"]).await);
    }
    let echo = send(&server, json!({"channel": "hall", "user": "ann", "message": {"text": "to all"}})).await;
    let told = join_all(listeners.iter_mut().map(|one| heard(&server, one))).await;
    for told in &told {
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["uuid"], echo["uuid"]);
    }
    server.end().await;
}
