//! The `channels` dialect: its REST, its socket, and its resume.

mod events;
mod rest;
mod resume;
mod socket;

use futures_util::{SinkExt, StreamExt};
use handlers::auth::{self, Claims};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::harness::{Server, http::Api, secrets, within};

/// A socket on `/realtime`, read as one goes.
pub(crate) struct Realtime(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Realtime {
    pub(crate) async fn open(server: &Server, user: &str) -> Self {
        Self::open_with(server, &server.token(user)).await
    }

    pub(crate) async fn open_with(server: &Server, token: &str) -> Self {
        let url = format!("ws://{}/realtime?token={token}", server.running.address);
        Self(within("a handshake", connect_async(url)).await.unwrap().0)
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match within("a frame", self.0.next()).await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    /// Subscribes; what came before the answer, and the answer.
    pub(crate) async fn subscribe(&mut self, channels: &[&str], after: Value) -> (Vec<Value>, Value) {
        self.say(json!({"action": "subscribe", "channels": channels, "after": after})).await;
        self.until("subscribed").await
    }

    /// Reads on to a frame of that type: what came before, and the frame.
    pub(crate) async fn until(&mut self, kind: &str) -> (Vec<Value>, Value) {
        let mut before = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return (before, frame);
            }
            before.push(frame);
        }
    }

    /// Waits until the server has closed it.
    pub(crate) async fn ended(&mut self) {
        let end = async { while let Some(Ok(Message::Text(_))) = self.0.next().await {} };
        within("the end of a socket", end).await;
    }

    /// All that was due: delivery is waited for, and a pong marks the end.
    pub(crate) async fn heard(&mut self, server: &Server) -> Vec<Value> {
        server.settled().await;
        self.say(json!({"action": "ping"})).await;
        self.until("pong").await.0
    }
}

fn admin_token(server: &Server, user: &str) -> String {
    let claims = Claims { sub: user.to_owned(), exp: server.clock.now() / 1000 + 3600, admin: true };
    auth::mint(&secrets().token_key, &claims).unwrap()
}

/// Makes a channel of the owner's with these members; says its id. What others are told of it they have been told.
async fn channel(server: &Server, visibility: &str, owner: &str, members: &[&str]) -> String {
    for user in [&[owner], members].concat() {
        // They may be known already.
        server.server().post("/v2/users", json!({"id": user, "displayName": user})).await;
    }
    let body = json!({"channel_name": "Tea", "description": "about tea", "visibility": visibility});
    let made = server.user(owner).post("/channels", body).await.expect(201);
    let id = made["channel_id"].as_str().unwrap().to_owned();
    for member in members {
        let path = format!("/channels/{id}/members");
        server.user(owner).post(&path, json!({"user_id": member})).await.expect(201);
    }
    server.settled().await;
    id
}

async fn say(api: &Api, channel: &str, content: &str) -> String {
    let sent = api.post(&format!("/channels/{channel}/messages"), json!({"content": content})).await;
    sent.expect(201)["message_id"].as_str().unwrap().to_owned()
}

/// Types and data of events, without where they stand.
fn bare(events: &[Value]) -> Vec<(String, Value)> {
    events.iter().map(|one| (one["type"].as_str().unwrap().to_owned(), one["data"].clone())).collect()
}
