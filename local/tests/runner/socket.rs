//! WebSockets as API Gateway has them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, StatusCode};
use http_body_util::Full;
use switchboard::{Running, websocket::SocketTimes};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        protocol::{
            CloseFrame,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use crate::{
    http::send,
    world::{options, started},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(running: &Running, path: &str) -> Socket {
    connect_async(format!("ws://{}{path}", running.address)).await.unwrap().0
}

async fn next(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap()
}

async fn text(socket: &mut Socket) -> String {
    next(socket).await.into_text().unwrap().as_str().to_owned()
}

/// The code and the reason with which the server closes, whatever it says before.
async fn closed(socket: &mut Socket) -> (u16, String) {
    loop {
        if let Message::Close(frame) = next(socket).await {
            let frame = frame.unwrap();
            return (frame.code.into(), frame.reason.as_str().to_owned());
        }
    }
}

#[tokio::test]
async fn connect_is_asked_before_the_handshake_is_answered() {
    let (running, world) = started(options("connect")).await;
    for (query, status) in [("refuse=403", 403), ("refuse=401", 401), ("refuse=302", 403), ("panic=1", 502)] {
        let refused = connect_async(format!("ws://{}/ws?{query}", running.address)).await;
        let Err(Error::Http(response)) = refused else { panic!("{query}: {refused:?}") };
        assert_eq!(response.status(), status, "{query}");
    }
    assert_eq!(running.connections.count(), 0);
    let mut request = format!("ws://{}/ws?greet=1", running.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "bearer, token".parse().unwrap());
    let (mut socket, response) = connect_async(request).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "bearer");
    assert!(
        world.saw("connect").await.ends_with(r#"|Err("gone")"#),
        "nothing is posted before $connect returns"
    );
    assert_eq!(text(&mut socket).await, "welcome", "what is posted before the 101 is out is not lost");
}

#[tokio::test]
async fn messages_are_routed_by_their_body_and_answered_in_order() {
    let (running, _) = started(options("routes")).await;
    let mut socket = open(&running, "/ws").await;
    for (sent, heard) in [
        (r#"{"action":"shout"}"#, r#"{"ACTION":"SHOUT"}"#),
        (r#"{"action":"other"}"#, r#"{"action":"other"}"#),
        (r#"{"action":"$disconnect"}"#, r#"{"action":"$disconnect"}"#),
        ("no json", "no json"),
    ] {
        socket.send(Message::text(sent)).await.unwrap();
        assert_eq!(text(&mut socket).await, heard);
    }
    for number in 0..200 {
        socket.send(Message::text(number.to_string())).await.unwrap();
    }
    for number in 0..200 {
        assert_eq!(text(&mut socket).await, number.to_string());
    }
    socket.send(Message::Ping(Bytes::from_static(b"here"))).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong(Bytes::from_static(b"here")));
    socket.send(Message::text("panic")).await.unwrap();
    assert!(text(&mut socket).await.contains(r#""message":"Internal server error""#));
    let mut bare = open(&running, "/bare").await;
    bare.send(Message::text("anything")).await.unwrap();
    let refused: serde_json::Value = serde_json::from_str(&text(&mut bare).await).unwrap();
    assert_eq!(refused["message"], "Forbidden");
    assert!(refused["connectionId"].as_str().unwrap().ends_with('=') && refused["requestId"].is_string());
}

#[tokio::test]
async fn messages_have_api_gateways_limits() {
    let (running, _) = started(options("limits")).await;
    let frame =
        |size, opcode, last| Message::Frame(Frame::message(vec![b'x'; size], OpCode::Data(opcode), last));
    let k = 1024;
    let mut socket = open(&running, "/ws").await;
    for (opcode, last) in
        [(Data::Text, false), (Data::Continue, false), (Data::Continue, false), (Data::Continue, true)]
    {
        socket.send(frame(32 * k, opcode, last)).await.unwrap();
    }
    assert_eq!(text(&mut socket).await.len(), 128 * k, "four frames of 32 KB are the largest message");
    let mut socket = open(&running, "/ws").await;
    let _ = socket.send(frame(32 * k + 1, Data::Text, true)).await;
    assert_eq!(closed(&mut socket).await.0, 1009, "a frame");
    let mut socket = open(&running, "/ws").await;
    for opcode in [Data::Text, Data::Continue, Data::Continue, Data::Continue, Data::Continue] {
        let _ = socket.send(frame(32 * k, opcode, false)).await;
    }
    assert_eq!(closed(&mut socket).await.0, 1009, "a message");
    let mut socket = open(&running, "/ws").await;
    socket.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(closed(&mut socket).await.0, 1003);
}

#[tokio::test]
async fn disconnect_is_told_once_with_how_it_ended() {
    let (running, world) = started(options("disconnect")).await;
    let mut socket = open(&running, "/ws").await;
    socket.close(Some(CloseFrame { code: 4001.into(), reason: "enough".into() })).await.unwrap();
    assert_eq!(world.saw("disconnect 4001").await, r#"disconnect 4001 enough|Err("gone")"#);
    let mut socket = open(&running, "/ws").await;
    socket.send(Message::Close(None)).await.unwrap();
    world.saw("disconnect 1005").await;
    drop(open(&running, "/ws").await);
    world.saw("disconnect 1006").await;
    let mut socket = open(&running, "/ws").await;
    let shutdown = tokio::spawn(running.shutdown());
    assert_eq!(closed(&mut socket).await.0, 1001);
    shutdown.await.unwrap();
    world.saw("disconnect 1001").await;
    assert_eq!(world.socket.borrow().iter().filter(|entry| entry.starts_with("disconnect")).count(), 4);
}

#[tokio::test]
async fn an_idle_socket_and_an_old_one_are_closed() {
    let mut short = options("idle");
    short.socket_times = SocketTimes { idle: Duration::from_millis(50), lifetime: Duration::from_secs(60) };
    let (running, _) = started(short).await;
    assert_eq!(closed(&mut open(&running, "/ws").await).await, (1001, "Idle timeout".to_owned()));
    let mut short = options("old");
    short.socket_times = SocketTimes { idle: Duration::from_secs(60), lifetime: Duration::from_millis(50) };
    let (running, _) = started(short).await;
    assert_eq!(
        closed(&mut open(&running, "/ws").await).await,
        (1001, "Connection duration limit".to_owned())
    );
}

#[tokio::test]
async fn connections_can_be_posted_to_and_closed_over_http() {
    let (running, world) = started(options("management")).await;
    let mut socket = open(&running, "/ws").await;
    let entry = world.saw("connect").await;
    let id = entry.trim_start_matches("connect ").split('|').next().unwrap().replace('=', "%3D");
    let ask = async |method: &str, stage: &str, signed: bool, body: &'static str| {
        let uri = format!("/{stage}/@connections/{id}");
        let mut request = Request::builder().method(method).uri(uri);
        if signed {
            request = request.header("authorization", "AWS4-HMAC-SHA256 Credential=…".replace('…', "x"));
        }
        send(&running, request.body(Full::from(body)).unwrap()).await.0
    };
    assert_eq!(ask("POST", "prod", false, "x").await, StatusCode::FORBIDDEN);
    // A proxy may pass on what anybody asks; the application's server may in any case.
    let passed_on = async |authorization: &str| {
        let request = Request::builder().method("GET").uri(format!("/prod/@connections/{id}"));
        let request = request.header("authorization", authorization).header("x-forwarded-for", "192.0.2.1");
        send(&running, request.body(Full::default()).unwrap()).await.0
    };
    assert_eq!(passed_on("AWS4-HMAC-SHA256 Credential=x").await, StatusCode::FORBIDDEN);
    let secret = |secret: &str| format!("Basic {}", STANDARD.encode(secret));
    assert_eq!(passed_on(&secret("another")).await, StatusCode::FORBIDDEN);
    assert_eq!(passed_on(&secret("management")).await, StatusCode::OK);
    assert_eq!(ask("POST", "events", true, "x").await, StatusCode::GONE, "another dialect's stage");
    assert_eq!(ask("POST", "channels", true, "hello").await, StatusCode::OK);
    assert_eq!(text(&mut socket).await, "hello");
    assert_eq!(ask("GET", "prod", true, "").await, StatusCode::OK);
    assert_eq!(ask("DELETE", "prod", true, "").await, StatusCode::NO_CONTENT);
    assert_eq!(closed(&mut socket).await.0, 1000);
    world.saw("disconnect 1000").await;
    assert_eq!(ask("POST", "prod", true, "x").await, StatusCode::GONE);
}

#[tokio::test]
async fn a_client_that_takes_nothing_fills_its_own_buffer_and_no_other() {
    let (running, world) = started(options("slow")).await;
    let slow = open(&running, "/ws").await;
    let entry = world.saw("connect").await;
    let id = entry.trim_start_matches("connect ").split('|').next().unwrap().to_owned();
    let connection = running.connections.get(&id).unwrap();
    let large = "x".repeat(128 * 1024);
    // The socket's own buffers take some megabytes before ours fills.
    let mut taken = 0;
    while connection.post(large.as_str().into()).is_ok() {
        taken += 1;
        assert!(taken < 10_000, "the buffer has an end");
        tokio::task::yield_now().await;
    }
    let mut other = open(&running, "/ws").await;
    other.send(Message::text("hello")).await.unwrap();
    assert_eq!(text(&mut other).await, "hello");
    drop(slow);
    world.saw("disconnect 1006").await;
}
