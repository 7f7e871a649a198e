//! What a call costs in CPU time, of the functions' own binaries: `docs/costs.md` assumes twice as much.
//!
//! ```sh
//! sam build                                                          # or tests/cloud/run
//! cargo run --profile runner -p tests --example cpu_time -- target/lambda
//! ```
//!
//! The runner starts the functions as Lambda does. Messages are written one after the other, first with nobody who
//! listens, then with 50 subscribers of `channels`; what the functions' processes have used then is read from `/proc`,
//! so this is for Linux.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use switchboard::{Options, start, token};
use tokio_tungstenite::{connect_async, tungstenite::Message};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Messages before anything is measured, so that all is warm.
const WARM: usize = 50;
/// Messages that are measured.
const MEASURED: usize = 1_000;
/// Subscribers.
const SUBSCRIBERS: usize = 50;
/// The functions that a message needs.
const FUNCTIONS: [&str; 2] = ["channelize-send-message", "fan-out"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/lambda".to_owned()));
    let folder = fs::canonicalize(folder)?;
    let running = start(Options { lambda: Some(folder.clone()), ..Options::default() }).await?;
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let post = async |path: &str, body: &Value| -> Result<(), Failure> {
        let request = http::Request::post(format!("http://{}{path}", running.address))
            .header("authorization", "Basic ZGV2LXNlY3JldA==")
            .header("user-id", "ann")
            .body(Full::from(body.to_string()))?;
        let response = http.request(request).await?;
        if !response.status().is_success() {
            return Err(format!("{path}: {}", response.status()).into());
        }
        response.into_body().collect().await?;
        Ok(())
    };
    post("/v2/conversations", &json!({"id": "room", "title": "Room", "isGroup": true, "members": ["bob"]}))
        .await?;
    let message = json!({"conversationId": "room", "body": "x".repeat(200)});
    // One after the other: each is delivered before the next one is written, in a call of its own.
    let write = async |messages: usize| -> Result<(), Failure> {
        for _ in 0..messages {
            post("/v2/messages/send", &message).await?;
            running.drained().await;
        }
        Ok(())
    };
    write(WARM).await?;
    let before = used(&folder)?;
    write(MEASURED).await?;
    let alone = per_message(&before, &used(&folder)?);
    println!("nobody listens: {alone:.2?} ms of CPU time a message");
    let token = token::user_token("bob", false, Duration::from_secs(3600), "dev-secret")?;
    for _ in 0..SUBSCRIBERS {
        let url = format!("ws://{}/realtime?token={token}", running.address);
        let mut socket = connect_async(url).await?.0;
        socket.send(Message::text(r#"{"action":"subscribe","channels":["channel:room"]}"#)).await?;
        socket.next().await.ok_or("a socket has closed")??;
        tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    }
    write(WARM).await?;
    let before = used(&folder)?;
    write(MEASURED).await?;
    let told = per_message(&before, &used(&folder)?);
    println!("{SUBSCRIBERS} subscribers: {told:.2?} ms of CPU time a message");
    let of = |used: &BTreeMap<&str, f64>| used.get("fan-out").copied().unwrap_or_default();
    println!("a post: {:.3} ms", (of(&told) - of(&alone)) / SUBSCRIBERS as f64);
    running.shutdown().await;
    Ok(())
}

/// Milliseconds per message of each function.
fn per_message<'a>(
    before: &BTreeMap<&'a str, f64>,
    after: &BTreeMap<&'a str, f64>,
) -> BTreeMap<&'a str, f64> {
    let since = |name: &str| before.get(name).copied().unwrap_or_default();
    after.iter().map(|(name, all)| (*name, (all - since(name)) / MEASURED as f64)).collect()
}

/// Milliseconds of CPU time that the processes of each function have used so far.
fn used(folder: &Path) -> Result<BTreeMap<&'static str, f64>, Failure> {
    let programs = FUNCTIONS.map(|name| {
        let path = folder.join(name);
        // cargo-lambda's own layout.
        (name, if path.is_dir() { path.join("bootstrap") } else { path })
    });
    let mut used = BTreeMap::new();
    for process in fs::read_dir("/proc")?.flatten() {
        let Ok(program) = fs::read_link(process.path().join("exe")) else { continue };
        let Some((name, _)) = programs.iter().find(|(_, path)| *path == program) else { continue };
        // It may have ended meanwhile.
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else { continue };
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
        // `utime` and `stime`, behind the name, in hundredths of a second.
        *used.entry(*name).or_default() += (ticks(11) + ticks(12)) * 10.0;
    }
    Ok(used)
}
