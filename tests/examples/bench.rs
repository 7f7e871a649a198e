//! Prints the local runner's figures, each beside its budget: `cargo run --profile runner -p tests --example bench`.
//!
//! Times are noisy, so nothing here is a test. What can be is a ratio against something that runs beside it in the
//! same process: delivered frames against a bare tokio-tungstenite loop that sends as many of the same size.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, TryStreamExt as _, stream};
use handlers::delivery::road::Settings;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use switchboard::{
    Options, Running,
    cli::LARGE_AUDIENCE,
    dynamodb::Storage,
    observer::{Observer, Operation},
    start, token,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Http = Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>;

/// Sockets that subscribe to one channel, for the throughput.
const SOCKETS: usize = 1_000;
/// Messages sent to them, and how many are under way at once.
const MESSAGES: usize = 200;
const AT_ONCE: usize = 8;
/// Messages a second, for the latency.
const RATE: u32 = 200;
/// Messages measured for the latency.
const MEASURED: usize = 1_000;
/// Members who listen, for the latency.
const SUBSCRIBERS: usize = 10;
/// Messages a second of a busy room, for the posts.
const BUSY_RATE: u32 = 20;
/// Messages counted for the posts.
const BUSY_MEASURED: usize = 200;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for (n, ear) in [Ear::Channels, Ear::Events].into_iter().enumerate() {
        let file = Storage::File(folder.path().join(format!("{n}.db")));
        for (name, storage) in [("in memory", Storage::Memory), ("in a file", file)] {
            let Measured { times, .. } = latency(ear, storage, Settings::default(), RATE, MEASURED).await?;
            println!(
                "write to frame, {RATE}/s, 10 {ear:?}, {name}: p50 {:?}, p99 {:?} (budget 3 ms, 15 ms)",
                at(&times, 0.5),
                at(&times, 0.99)
            );
        }
    }
    for millis in [0, 250, 500] {
        let road = Settings { coalesce: Duration::from_millis(millis), ..Settings::default() };
        let Measured { times, posts } =
            latency(Ear::Events, Storage::Memory, road, BUSY_RATE, BUSY_MEASURED).await?;
        println!(
            "a room at {BUSY_RATE}/s, `events`, a window of {millis} ms: {:.2} posts per event and connection, p50 {:?}, p99 {:?} (budget 0.25 with AWS's default, 500)",
            posts as f64 / (BUSY_MEASURED * SUBSCRIBERS) as f64,
            at(&times, 0.5),
            at(&times, 0.99)
        );
    }
    let (frames, bytes, ours) = throughput().await?;
    let bare = bare(frames, bytes).await?;
    let rate = |time: Duration| frames as f64 / time.as_secs_f64();
    println!(
        "{frames} frames of {bytes} B to {SOCKETS} sockets: {:.0}/s, a bare loop {:.0}/s: {:.2} of it (budget 0.8)",
        rate(ours),
        rate(bare),
        rate(ours) / rate(bare)
    );
    Ok(())
}

/// The time that a share of all did not exceed.
fn at(times: &[Duration], share: f64) -> Duration {
    times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default()
}

/// What was measured of a room.
struct Measured {
    /// From the request to the frame on the slowest socket, sorted.
    times: Vec<Duration>,
    /// Posts to connections.
    posts: usize,
}

/// How a listener listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ear {
    /// Sockets of `channels` that subscribe.
    Channels,
    /// Members with a socket of `events`, who are also told how the room now stands for them.
    Events,
}

impl Ear {
    /// The texts of the messages that a frame tells of.
    fn texts(self, frame: &Value) -> Vec<&str> {
        match self {
            Self::Channels if frame.get("type").and_then(Value::as_str) == Some("channel_message") => {
                frame.pointer("/data/content").and_then(Value::as_str).into_iter().collect()
            }
            Self::Events if frame.get("type").and_then(Value::as_str) == Some("TextMessagesCreated") => {
                let messages =
                    frame.pointer("/data/messages").and_then(Value::as_array).into_iter().flatten();
                messages.filter_map(|message| message.get("text").and_then(Value::as_str)).collect()
            }
            Self::Channels | Self::Events => Vec::new(),
        }
    }
}

/// A server with a conversation of ann and some others.
async fn server(options: Options, members: &[&str]) -> Result<(Running, Http, String), Failure> {
    let running = start(options).await?;
    let http = Client::builder(TokioExecutor::new()).build_http();
    let base = format!("http://{}", running.address);
    let body = json!({"id": "room", "title": "Room", "isGroup": true, "members": members});
    post(&http, &format!("{base}/v2/conversations"), &body).await?;
    Ok((running, http, base))
}

async fn post(http: &Http, url: &str, body: &Value) -> Result<(), Failure> {
    let request = http::Request::post(url)
        .header("authorization", "Basic ZGV2LXNlY3JldA==")
        .header("user-id", "ann")
        .body(Full::from(body.to_string()))?;
    let response = http.request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        return Err(format!("{url}: {status} {body:?}").into());
    }
    Ok(())
}

/// From the request to the frame on the slowest of ten sockets.
async fn latency(
    ear: Ear,
    storage: Storage,
    road: Settings,
    rate: u32,
    all: usize,
) -> Result<Measured, Failure> {
    let users: Vec<String> = (0..SUBSCRIBERS).map(|n| format!("user{n}")).collect();
    let members: Vec<&str> = users.iter().map(String::as_str).collect();
    let posts = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&posts);
    let observer = move |operation: &Operation| {
        let post = operation.name == "PostToConnection";
        counting.fetch_add(usize::from(post), Ordering::Relaxed);
    };
    // Observed, the table tells what each operation costs, which costs time itself.
    let observer: Option<Arc<dyn Observer>> = if rate == BUSY_RATE { Some(Arc::new(observer)) } else { None };
    let (running, http, base) =
        server(Options { storage, road, observer, ..Options::default() }, &members).await?;
    let (heard, mut hears) = mpsc::unbounded_channel::<(usize, Instant)>();
    for user in &users {
        let mut socket = listen(&running, ear, user).await?;
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                let Ok(text) = message.to_text() else { continue };
                let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                for number in ear.texts(&frame).into_iter().filter_map(|text| text.parse().ok()) {
                    let _gone = heard.send((number, Instant::now()));
                }
            }
        });
    }
    running.drained().await;
    posts.store(0, Ordering::Relaxed);
    let mut sent = Vec::with_capacity(all);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    let mut writes = JoinSet::new();
    for n in 0..all {
        ticks.tick().await;
        sent.push(Instant::now());
        let (http, url) = (http.clone(), format!("{base}/v2/messages/send"));
        let body = json!({"conversationId": "room", "body": n.to_string()});
        writes.spawn(async move { post(&http, &url, &body).await });
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    let mut slowest = vec![Duration::ZERO; all];
    for _ in 0..all * users.len() {
        let (n, at) = hears.recv().await.ok_or("the sockets have closed")?;
        if let (Some(slowest), Some(sent)) = (slowest.get_mut(n), sent.get(n)) {
            *slowest = (*slowest).max(at.duration_since(*sent));
        }
    }
    running.drained().await;
    running.shutdown().await;
    slowest.sort();
    Ok(Measured { times: slowest, posts: posts.load(Ordering::Relaxed) })
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn listen(running: &Running, ear: Ear, user: &str) -> Result<Socket, Failure> {
    let token = token::user_token(user, false, Duration::from_secs(3600), "dev-secret")?;
    let path = if ear == Ear::Channels { "/realtime" } else { "/api/v1/events" };
    let mut socket = connect_async(format!("ws://{}{path}?token={token}", running.address)).await?.0;
    if ear == Ear::Channels {
        let subscribe = json!({"action": "subscribe", "channels": ["channel:room"]});
        socket.send(Message::text(subscribe.to_string())).await?;
        while let Some(Ok(message)) = socket.next().await {
            let answer: Value = serde_json::from_str(message.to_text()?)?;
            match answer.get("type").and_then(Value::as_str) {
                Some("subscribed") => break,
                Some("error") => return Err(answer.to_string().into()),
                _ => {}
            }
        }
    }
    Ok(socket)
}

/// Frames, bytes of one on average, and the time from the first request to the last frame.
async fn throughput() -> Result<(usize, usize, Duration), Failure> {
    let road = Settings { large_audience: LARGE_AUDIENCE, ..Settings::default() };
    let options = Options { storage: Storage::Memory, road, ..Options::default() };
    let (running, http, base) = server(options, &["bob"]).await?;
    let mut readers = JoinSet::new();
    for _ in 0..SOCKETS {
        let mut socket = listen(&running, Ear::Channels, "bob").await?;
        readers.spawn(async move {
            let (mut frames, mut bytes) = (0_usize, 0_usize);
            while frames < MESSAGES {
                let Some(Ok(message)) = socket.next().await else { break };
                if let Message::Text(text) = message {
                    frames += 1;
                    bytes += text.len();
                }
            }
            (frames, bytes)
        });
    }
    running.drained().await;
    let begun = Instant::now();
    let url = format!("{base}/v2/messages/send");
    let writes = stream::iter(0..MESSAGES).map(|n| {
        let body = json!({"conversationId": "room", "body": format!("message {n} {}", "x".repeat(150))});
        let (http, url) = (&http, &url);
        async move { post(http, url, &body).await }
    });
    writes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    let (mut frames, mut bytes) = (0, 0);
    while let Some(read) = readers.join_next().await {
        let (some, size) = read?;
        frames += some;
        bytes += size;
    }
    let time = begun.elapsed();
    running.shutdown().await;
    Ok((frames, bytes.checked_div(frames).unwrap_or(0), time))
}

/// The time a loop takes that only sends, to as many sockets, as many frames of that size.
async fn bare(frames: usize, bytes: usize) -> Result<Duration, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut readers = JoinSet::new();
    let mut senders = Vec::with_capacity(SOCKETS);
    for _ in 0..SOCKETS {
        let (accepted, connected) = tokio::join!(
            async { Ok::<_, Failure>(accept_async(listener.accept().await?.0).await?) },
            async { Ok::<_, Failure>(connect_async(format!("ws://{address}")).await?.0) }
        );
        senders.push(accepted?);
        let mut socket = connected?;
        let each = frames / SOCKETS;
        readers.spawn(async move {
            for _ in 0..each {
                let _frame = socket.next().await;
            }
        });
    }
    let text = "x".repeat(bytes);
    let begun = Instant::now();
    for _ in 0..frames / SOCKETS {
        for sender in &mut senders {
            sender.send(Message::text(text.clone())).await?;
        }
    }
    while readers.join_next().await.is_some() {}
    Ok(begun.elapsed())
}
