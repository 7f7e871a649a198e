//! Channelstream: its recorded exchanges, and what they do not show.

mod across;
mod catch_up;
mod economy;
mod exchanges;
mod large;
mod listeners;
mod original;
mod samples;

use domain::Timestamp;
use serde_json::{Value, json};

use crate::harness::{Server, http::Api, secrets, socket::Socket, unique};

/// The application's server, as this dialect knows it.
pub(crate) fn signed(server: &Server) -> Api {
    let now = Timestamp::from_millis(server.clock.now());
    let secret = dialects::channelstream::signature::sign("channelstream", &secrets().server, now);
    server.api(vec![("x-channelstream-secret".to_owned(), secret)])
}

/// A connection with its socket.
pub(crate) struct Listener {
    pub(crate) id: String,
    pub(crate) socket: Socket,
}

/// Connects a user, with more keys than the name and the channels.
pub(crate) async fn connect(server: &Server, user: &str, channels: &[&str], more: Value) -> Value {
    let mut body = json!({"username": user, "channels": channels});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    signed(server).post("/connect", body).await.expect(200)
}

/// Opens the socket of a connection, which hears what is written from now on.
pub(crate) async fn open(server: &Server, user: &str, id: &str) -> Listener {
    server.settled().await;
    open_at_once(server, user, id).await
}

/// The same, however far what was written before has come.
pub(crate) async fn open_at_once(server: &Server, user: &str, id: &str) -> Listener {
    let url = format!("ws://{}/ws?conn_id={id}", server.running.address);
    Listener { id: id.to_owned(), socket: Socket::open(user, &url).await.unwrap() }
}

/// Connects a user and opens the socket.
pub(crate) async fn listen(server: &Server, user: &str, channels: &[&str]) -> Listener {
    let connected = connect(server, user, channels, json!({})).await;
    open(server, user, connected["conn_id"].as_str().unwrap()).await
}

/// The events that a listener heard since it was last asked.
pub(crate) async fn heard(server: &Server, listener: &mut Listener) -> Vec<Value> {
    server.settled().await;
    let now = Timestamp::from_millis(server.clock.now());
    let found = server.running.context.store.listener(&listener.id, now).await.unwrap().unwrap();
    let mark = json!({ "mark": unique("mark") });
    let open = server.running.connections.get(&found.socket.unwrap()).unwrap();
    open.post(mark.to_string().into()).unwrap();
    let frames = listener.socket.up_to(&mark).await;
    frames.into_iter().flat_map(|frame| frame.as_array().unwrap().clone()).collect()
}

/// Sends one message; says its echo.
pub(crate) async fn send(server: &Server, message: Value) -> Value {
    signed(server).post("/message", json!([message])).await.expect(200)[0].clone()
}
