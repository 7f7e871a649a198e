//! Sockets on the way in and on the way out: who gets one, and what becomes of one that is dead or slow.

use std::time::Instant;

use domain::{Dialect, Timestamp, UserId};
use serde_json::json;
use store::connection::Connection;
use tokio::net::TcpSocket;
use tokio_tungstenite::{
    client_async, connect_async,
    tungstenite::{Error, client::IntoClientRequest, handshake::client::Request},
};

use crate::harness::{PATIENCE, Server, http::basic, secrets, socket::Socket, token};

/// A handshake with these headers.
fn handshake(server: &Server, query: &str, headers: &[(&'static str, String)]) -> Request {
    let url = format!("ws://{}/api/v1/events{query}", server.running.address);
    let mut request = url.into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// What a handshake is answered with: 101 and the protocol, or the error's status and body.
async fn answered(request: Request) -> (u16, String) {
    match connect_async(request).await {
        Ok((_, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            (101, protocol.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default())
        }
        Err(Error::Http(response)) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status().as_u16(), String::from_utf8(body).unwrap())
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_opens_a_socket_wherever_it_stands() {
    let server = Server::start().await;
    let token = server.token("ann");
    let bearer = ("authorization", format!("Bearer {token}"));
    let protocol = ("sec-websocket-protocol", format!("bearer, {token}"));
    for (query, headers, told) in [
        (format!("?token={token}"), vec![], ""),
        (String::new(), vec![protocol], "bearer"),
        (String::new(), vec![bearer], ""),
        (String::new(), vec![("authorization", basic(&secrets().server)), ("user-id", "ann".to_owned())], ""),
    ] {
        let answer = answered(handshake(&server, &query, &headers)).await;
        assert_eq!(answer, (101, told.to_owned()), "{query} {headers:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_is_no_token_any_more_opens_nothing() {
    let server = Server::in_process().await;
    let good = server.token("ann");
    let ends = token("ann", server.clock.now() / 1000 + 60);
    let query = |token: &str| format!("?token={token}");
    assert_eq!(answered(handshake(&server, &query(&ends), &[])).await.0, 101);
    server.clock.step(60_000);
    let forged = format!("{}x", good.trim_end_matches(|c: char| c != '.'));
    let refused = [
        (query(&ends), vec![]),
        (query(&forged), vec![]),
        (query(""), vec![]),
        (String::new(), vec![]),
        (String::new(), vec![("authorization", "Bearer x".to_owned())]),
        (String::new(), vec![("authorization", basic("wrong"))]),
        (String::new(), vec![("authorization", basic(&secrets().server))]),
        (String::new(), vec![("sec-websocket-protocol", "bearer, x".to_owned())]),
        // A good token elsewhere does not make up for a wrong one.
        (query(&forged), vec![("authorization", format!("Bearer {good}"))]),
    ];
    for (query, headers) in refused {
        let (status, _) = answered(handshake(&server, &query, &headers)).await;
        assert_eq!(status, 401, "{query} {headers:?}");
    }
    assert_eq!(answered(handshake(&server, &query(&good), &[])).await.0, 101);
    server.end().await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_socket() {
    let server =
        Server::start_with(|options| options.allowed_origins = vec!["https://app.example".to_owned()]).await;
    let query = format!("?token={}", server.token("ann"));
    for (origin, status) in [
        (Some("https://app.example"), 101),
        (Some("https://evil.example"), 403),
        (Some("https://app.example.evil.example"), 403),
        (Some("null"), 403),
        (None, 101),
    ] {
        let headers: Vec<_> = origin.into_iter().map(|origin| ("origin", origin.to_owned())).collect();
        let answer = answered(handshake(&server, &query, &headers)).await;
        assert_eq!(answer.0, status, "{origin:?}");
    }
    server.end().await;
}

/// Everything that the table keeps of connections.
async fn kept(server: &Server) -> Vec<String> {
    let mut kept = Vec::new();
    let scan = server.running.items.scan().table_name(&server.running.table).consistent_read(true);
    for item in scan.send().await.unwrap().items() {
        let text = |name: &str| item[name].as_s().unwrap().clone();
        let key = format!("{} {}", text("pk"), text("sk"));
        if key.contains("CONN#") || key.starts_with("TOPIC#") {
            kept.push(key);
        }
    }
    kept
}

#[tokio::test]
async fn of_a_socket_that_has_ended_nothing_is_kept() {
    let server = Server::start().await;
    server.make_users(&["ann", "bob"]).await;
    for politely in [true, false] {
        let socket = server.listen("bob").await;
        assert_eq!(kept(&server).await.len(), 2, "found by its user and by its id");
        if politely {
            socket.close().await;
        } else {
            drop(socket);
        }
        server.forgotten("bob").await;
        assert_eq!(kept(&server).await, Vec::<String>::new());
        assert_eq!(server.running.connections.count(), 0);
    }
    server.end().await;
}

#[tokio::test]
async fn a_dead_connection_is_forgotten_and_stops_nobody() {
    for (large_audience, road) in ROADS {
        dead_connections(large_audience, road).await;
    }
}

/// The two ways to a connection: how many make an audience large, and the function that posts then.
const ROADS: [(usize, &str); 2] = [(500, "fan-out"), (1, "deliver")];

async fn dead_connections(large_audience: usize, road: &str) {
    let server = Server::start_with(|options| options.road.large_audience = large_audience).await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let room = server.make_conversation("private", &["ann", "bob", "cat"]).await;
    let now = Timestamp::from_millis(server.clock.now());
    let dead = |n: usize| Connection {
        id: format!("dead-{n}="),
        // Before and after the living one, in any order of delivery.
        user: UserId::parse(["ann", "bob", "cat"][n % 3]).unwrap(),
        dialect: Dialect::Events,
        since: domain::Timestamp::default(),
        arrays: false,
    };
    let store = &server.running.context.store;
    let mut bob = server.listen("bob").await;
    for n in 0..90 {
        store.put_connection(&dead(n), now).await.unwrap();
    }
    server.user("ann").send(&room, "hello").await;
    server.running.drained().await;
    for n in 0..90 {
        assert_eq!(store.connection(&dead(n).id, now).await.unwrap(), None, "{n}");
    }
    let posts = server.recorder.since(0, road);
    let gone = posts.iter().filter(|post| post.name == "PostToConnection" && post.failed).count();
    assert_eq!(gone, 90, "each is found dead once");
    let heard = server.heard(&mut bob).await;
    assert_eq!(heard.last().unwrap()["data"]["room"]["unreadMessageCount"], 1, "{heard:?}");
    // And the next message is posted to the living alone.
    let mark = server.recorder.mark();
    server.user("ann").send(&room, "again").await;
    assert_eq!(server.heard(&mut bob).await.len(), 2);
    let posts = server.recorder.since(mark, road);
    assert!(!posts.iter().any(|post| post.failed), "{posts:?}");
    server.end().await;
}

/// A socket of a client that never reads, with a small buffer.
async fn deaf(server: &Server, user: &str) -> impl Sized {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.running.address).await.unwrap();
    let query = format!("?token={}", server.token(user));
    client_async(handshake(server, &query, &[]), stream).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_parked_while_the_others_get_everything() {
    // What the socket, the kernel and the buffer take before it is full, and more.
    const MESSAGES: usize = 120;
    let server = Server::start().await;
    server.make_users(&["ann", "bob", "cat"]).await;
    let room = server.make_conversation("private", &["ann", "bob", "cat"]).await;
    let deaf = deaf(&server, "bob").await;
    let url = format!("ws://{}/api/v1/events?token={}", server.running.address, server.token("cat"));
    let cat = Socket::open("cat", url).await.unwrap();
    let text = "x".repeat(90_000);
    let started = Instant::now();
    for n in 0..MESSAGES {
        server.user("ann").send(&room, &format!("{n} {text}")).await;
    }
    let all = cat
        .wait_until("every message", |heard| {
            let told = heard.frames.iter().filter(|frame| frame["type"] == "TextMessagesCreated");
            told.flat_map(|frame| frame["data"]["messages"].as_array().unwrap()).count() >= MESSAGES
        })
        .await;
    println!("{MESSAGES} messages of 90 KB beside a deaf client took {:?}", started.elapsed());
    assert!(started.elapsed() < PATIENCE, "one deadline for the deaf client, not one for each message");
    let told: Vec<usize> = all
        .frames
        .iter()
        .filter(|frame| frame["type"] == "TextMessagesCreated")
        .flat_map(|frame| frame["data"]["messages"].as_array().unwrap())
        .map(|message| message["text"].as_str().unwrap())
        .map(|text| text.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(told, (0..MESSAGES).collect::<Vec<_>>(), "in order, each once");
    server.forgotten("bob").await;
    let closed = async {
        while server.running.connections.count() > 1 {
            tokio::task::yield_now().await;
        }
    };
    crate::harness::within("closing the deaf client's socket", closed).await;
    drop(deaf);
    server.end().await;
}

#[tokio::test]
async fn a_frame_from_a_client_is_nothing_to_the_stream() {
    use futures_util::{SinkExt, StreamExt};
    let server = Server::start().await;
    server.make_users(&["ann"]).await;
    let request = handshake(&server, &format!("?token={}", server.token("ann")), &[]);
    let (mut socket, _) = connect_async(request).await.unwrap();
    for text in ["", "{}", "no json", r#"{"action":"$disconnect"}"#, r#"{"type":"TextMessagesCreated"}"#] {
        socket.send(text.into()).await.unwrap();
    }
    server.make_conversation("private", &["ann", "ann"]).await;
    let heard = crate::harness::within("the room", socket.next()).await.unwrap().unwrap();
    let heard: serde_json::Value = serde_json::from_str(heard.to_text().unwrap()).unwrap();
    assert_eq!(heard["type"], json!("RoomCreated"), "what was sent is not answered: {heard}");
    server.end().await;
}
