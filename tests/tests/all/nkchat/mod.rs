//! The `nkchat` dialect, as its clients use it.

mod entrances;
mod events;
mod frames;
mod recorded;
mod rights;
mod search;
mod users;

use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use handlers::auth::{self, Claims};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::watch};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::harness::{Server, secrets, within};

/// What a client has heard and nobody has looked at, and whether it was closed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Heard {
    frames: Vec<Value>,
    closed: Option<u16>,
}

/// A client on the socket.
pub(crate) struct Client {
    sink: SplitSink<WebSocketStream<MaybeTlsStream<TcpStream>>, Message>,
    heard: watch::Sender<Heard>,
    tid: u64,
}

impl Client {
    /// A client that hears, once it subscribes, what is written from now on.
    pub(crate) async fn open(server: &Server) -> Self {
        server.settled().await;
        let url = format!("ws://{}/nkchat", server.running.address);
        let (socket, _) = within("a handshake", connect_async(url)).await.unwrap();
        Self::over(socket)
    }

    /// A client that has this socket.
    fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        let (sink, mut stream) = socket.split();
        let heard = watch::Sender::new(Heard::default());
        let telling = heard.clone();
        tokio::spawn(async move {
            let mut code = 1006;
            while let Some(Ok(message)) = stream.next().await {
                match message {
                    Message::Text(text) => {
                        telling.send_modify(|heard| heard.frames.push(serde_json::from_str(&text).unwrap()));
                    }
                    Message::Close(frame) => code = frame.map_or(1005, |frame| frame.code.into()),
                    _ => {}
                }
            }
            telling.send_modify(|heard| heard.closed = Some(code));
        });
        Self { sink, heard, tid: 100 }
    }

    /// A client that has logged in and answered its first ping.
    pub(crate) async fn login(server: &Server, user: &str, admin: bool) -> Self {
        let mut client = Self::open(server).await;
        let password = token(server, user, admin);
        let done = client.ask("core", "user", "login", json!({"user": user, "password": password})).await;
        assert_eq!(done["result"], "ok", "{done}");
        let ping = client.take(|frame| frame["cmd"] == "ping").await;
        client.send(&json!({"result": "ok", "tid": ping["tid"]}).to_string()).await;
        client
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.sink.send(Message::text(text)).await.unwrap();
    }

    /// Waits for the first frame that is so, and takes it away.
    pub(crate) async fn take(&mut self, mut so: impl FnMut(&Value) -> bool) -> Value {
        let mut watching = self.heard.subscribe();
        let found = watching.wait_for(|heard| heard.frames.iter().any(&mut so));
        if tokio::time::timeout(std::time::Duration::from_secs(20), found).await.is_err() {
            panic!("not among {:#?}", self.heard.borrow().frames);
        }
        let mut taken = Value::Null;
        self.heard.send_modify(|heard| {
            let at = heard.frames.iter().position(&mut so).unwrap();
            taken = heard.frames.remove(at);
        });
        taken
    }

    /// Does a command; its answer, without the `tid`.
    pub(crate) async fn ask(&mut self, class: &str, subclass: &str, cmd: &str, data: Value) -> Value {
        self.tid += 1;
        let tid = json!(self.tid);
        let command = json!({"class": class, "subclass": subclass, "cmd": cmd, "data": data, "tid": tid});
        self.send(&command.to_string()).await;
        let mut answer = self.take(|frame| frame["tid"] == tid && frame.get("result").is_some()).await;
        answer.as_object_mut().unwrap().remove("tid");
        answer
    }

    /// Does a command of class `chat` that must succeed; its result.
    pub(crate) async fn chat(&mut self, subclass: &str, cmd: &str, data: Value) -> Value {
        let answer = self.ask("chat", subclass, cmd, data).await;
        assert_eq!(answer["result"], "ok", "{subclass}/{cmd}: {answer}");
        answer["data"].clone()
    }

    /// Does a command of class `chat` that must fail; the code.
    pub(crate) async fn refused(&mut self, subclass: &str, cmd: &str, data: Value) -> String {
        let answer = self.ask("chat", subclass, cmd, data).await;
        answer["data"]["code"].as_str().unwrap_or_else(|| panic!("{subclass}/{cmd}: {answer}")).to_owned()
    }

    pub(crate) async fn subscribe(&mut self, selector: Value) {
        assert_eq!(self.ask("core", "event", "subscribe", selector).await, json!({"result": "ok"}));
    }

    /// What was heard since and is no answer, once everything was delivered and answered.
    pub(crate) async fn events(&mut self, server: &Server) -> Vec<Value> {
        server.settled().await;
        // What was posted before this answer is here when it is.
        self.ask("core", "test", "async", json!({"data": {"a": 1}})).await;
        let mut frames = Vec::new();
        self.heard.send_modify(|heard| {
            heard.frames.retain(|frame| frame.get("ack").is_none());
            frames = std::mem::take(&mut heard.frames);
        });
        frames.into_iter().map(|frame| frame["data"].clone()).collect()
    }

    /// Waits until it was closed; the code.
    pub(crate) async fn closed(&self) -> u16 {
        let mut watching = self.heard.subscribe();
        let ended = watching.wait_for(|heard| heard.closed.is_some());
        within("the end of a socket", ended).await.unwrap().closed.unwrap()
    }
}

fn token(server: &Server, user: &str, admin: bool) -> String {
    let exp = server.clock.now() / 1000 + 3600;
    auth::mint(&secrets().token_key, &Claims { sub: user.to_owned(), exp, admin }).unwrap()
}

/// Does a command over HTTP as the application's server; its result.
pub(crate) async fn rpc(server: &Server, subclass: &str, cmd: &str, data: Value) -> Value {
    let body = json!({"class": "chat", "subclass": subclass, "cmd": cmd, "data": data});
    let answer = server.server().post("/nkchat/rpc", body).await.expect(200);
    assert_eq!(answer["result"], "ok", "{subclass}/{cmd}: {answer}");
    answer["data"].clone()
}
