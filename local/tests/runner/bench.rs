//! Figures, not promises: `cargo test --profile runner -p switchboard --test runner -- --ignored --nocapture`.

use std::time::Instant;

use aws_sdk_apigatewaymanagement::primitives::Blob;
use domain::Dialect;
use futures_util::StreamExt;
use tokio_tungstenite::connect_async;

use crate::world::{options, started};

const SOCKETS: usize = 500;
const ROUNDS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn frames_per_second() {
    for through_the_sdk in [false, true] {
        let (running, world) = started(options(&format!("bench-{through_the_sdk}"))).await;
        let mut readers = Vec::new();
        for _ in 0..SOCKETS {
            let (mut socket, _) = connect_async(format!("ws://{}/ws", running.address)).await.unwrap();
            readers.push(tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    socket.next().await.unwrap().unwrap();
                }
            }));
        }
        let ids = world.socket.borrow().clone();
        let ids: Vec<_> =
            ids.iter().map(|entry| entry.trim_start_matches("connect ").split('|').next().unwrap()).collect();
        let client = running.context.gateway.client(Dialect::Channels).unwrap();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for id in &ids {
                if through_the_sdk {
                    let data = Blob::new("x".repeat(200));
                    client.post_to_connection().connection_id(*id).data(data).send().await.unwrap();
                } else {
                    let text = "x".repeat(200);
                    running.connections.get(id).unwrap().post(text.into()).unwrap();
                    tokio::task::consume_budget().await;
                }
            }
        }
        let posted = start.elapsed();
        for reader in readers {
            reader.await.unwrap();
        }
        let all = SOCKETS * ROUNDS;
        println!(
            "{}: {all} frames posted in {posted:?}, received in {:?}: {:.0}/s",
            if through_the_sdk { "through the SDK client" } else { "past it" },
            start.elapsed(),
            all as f64 / start.elapsed().as_secs_f64()
        );
    }
}
