//! Figures, not promises: `cargo test --profile runner -p switchboard --test runner -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Dialect;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

use switchboard::{Options, dynamodb::Storage};

use crate::world::{options, started};

const SOCKETS: usize = 500;
const ROUNDS: usize = 200;

/// Clients that take every frame.
async fn readers(url: &str) -> Vec<JoinHandle<()>> {
    let mut readers = Vec::new();
    for _ in 0..SOCKETS {
        let (mut socket, _) = connect_async(url).await.unwrap();
        readers.push(tokio::spawn(async move {
            for _ in 0..ROUNDS {
                socket.next().await.unwrap().unwrap();
            }
        }));
    }
    readers
}

async fn report(what: &str, start: Instant, readers: Vec<JoinHandle<()>>) {
    let posted = start.elapsed();
    for reader in readers {
        reader.await.unwrap();
    }
    let (all, took) = (SOCKETS * ROUNDS, start.elapsed());
    println!(
        "{what}: {all} frames sent in {posted:?}, received in {took:?}: {:.0}/s",
        all as f64 / took.as_secs_f64()
    );
}

/// The yardstick: a loop over bare tokio-tungstenite sockets.
async fn bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let accepting = tokio::spawn(async move {
        let mut sockets = Vec::new();
        while sockets.len() < SOCKETS {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            sockets.push(accept_async(stream).await.unwrap());
        }
        sockets
    });
    let readers = readers(&url).await;
    let mut sockets = accepting.await.unwrap();
    let message = Message::text("x".repeat(200));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for socket in &mut sockets {
            socket.send(message.clone()).await.unwrap();
        }
    }
    report("bare loop", start, readers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn frames_per_second() {
    bare().await;
    for through_the_sdk in [false, true] {
        let options =
            Options { post_through_sdk: through_the_sdk, ..options(&format!("bench-{through_the_sdk}")) };
        let (running, world) = started(options).await;
        let readers = readers(&format!("ws://{}/ws", running.address)).await;
        let entries = world.socket.borrow().clone();
        let id = |entry: &String| entry.trim_start_matches("connect ").split('|').next().unwrap().to_owned();
        let ids: Vec<_> = entries.iter().map(id).collect();
        let frame = bytes::Bytes::from("x".repeat(200));
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for id in &ids {
                running.context.gateway.post(Dialect::Channels, id, frame.clone()).await.unwrap();
                tokio::task::consume_budget().await;
            }
        }
        report(if through_the_sdk { "through the SDK" } else { "past the SDK" }, start, readers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn from_a_write_to_its_function() {
    let folder = tempfile::tempdir().unwrap();
    for (name, storage) in
        [("memory", Storage::Memory), ("file", Storage::File(folder.path().join("data.db")))]
    {
        let mut options = options(&format!("latency-{name}"));
        options.storage = storage;
        let (running, world) = started(options).await;
        let mut batches = world.batches.subscribe();
        let (mut writes, mut deliveries) = (Vec::new(), Vec::new());
        for number in 0..500 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let start = Instant::now();
            let key = number.to_string();
            let put = running.items.put_item().table_name(&running.table);
            let put = put
                .item("pk", AttributeValue::S("LOG#a".to_owned()))
                .item("sk", AttributeValue::S(key.clone()));
            put.send().await.unwrap();
            writes.push(start.elapsed());
            batches
                .wait_for(|batches| batches.last().is_some_and(|batch| batch.contains(&key)))
                .await
                .unwrap();
            deliveries.push(start.elapsed());
        }
        let mut figures = Vec::new();
        for mut times in [writes, deliveries] {
            times.sort();
            figures.push(format!("p50 {:?} p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]));
        }
        println!("{name}: a write {}, to its function {}", figures[0], figures[1]);
    }
}
