//! Those who listen: each notes what it hears, life by life.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tests::simulation::history::{Fact, Socket};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    chronicle::Chronicle,
    harness::{token, within},
};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(url: &str) -> Option<Stream> {
    within("a handshake", connect_async(url)).await.ok().map(|(stream, _)| stream)
}

/// The next frame; none when the socket has ended.
async fn next(stream: &mut Stream) -> Option<Value> {
    loop {
        match stream.next().await? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("a frame is JSON")),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn say(stream: &mut Stream, frame: &Value) -> Option<()> {
    stream.send(Message::text(frame.to_string())).await.ok()
}

/// A session of nkchat.
#[derive(Debug)]
pub(crate) struct Nkchat {
    stream: Stream,
    tid: u64,
    /// Events that came before an answer.
    heard: Vec<Value>,
}

impl Nkchat {
    /// Logs in; none if the program is gone.
    pub(crate) async fn open(address: &str, user: &str) -> Option<Self> {
        let stream = open(&format!("ws://{address}/nkchat")).await?;
        let mut session = Self { stream, tid: 0, heard: Vec::new() };
        let done =
            session.ask("core", "user", "login", json!({"user": user, "password": token(user)})).await?;
        assert_eq!(done["result"], "ok", "{done}");
        Some(session)
    }

    /// Does a command; none if the program is gone.
    pub(crate) async fn ask(&mut self, class: &str, subclass: &str, cmd: &str, data: Value) -> Option<Value> {
        self.tid += 1;
        let command =
            json!({"class": class, "subclass": subclass, "cmd": cmd, "data": data, "tid": self.tid});
        say(&mut self.stream, &command).await?;
        loop {
            let frame = within("an answer", self.next()).await?;
            if frame["tid"] == self.tid && frame.get("result").is_some() {
                return Some(frame);
            }
            self.heard.push(frame);
        }
    }

    /// The next frame that is no ping.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let frame = next(&mut self.stream).await?;
            if frame["cmd"] != "ping" {
                return Some(frame);
            }
            say(&mut self.stream, &json!({"result": "ok", "tid": frame["tid"]})).await?;
        }
    }
}

/// Someone who listens in one life of the program.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Its socket, in the history.
    pub(crate) socket: Socket,
    /// Reads until the socket ends.
    pub(crate) reading: JoinHandle<()>,
}

/// A socket that is told everything without asking, from when it is open.
pub(crate) async fn listen(chronicle: &Arc<Chronicle>, socket: Socket, url: &str) -> Option<Listener> {
    let mut stream = open(url).await?;
    chronicle.note(Fact::Listening { socket });
    let chronicle = Arc::clone(chronicle);
    let reading = tokio::spawn(async move {
        while let Some(frame) = next(&mut stream).await {
            chronicle.note(Fact::Heard { socket, frame });
        }
    });
    Some(Listener { socket, reading })
}

/// A session of nkchat that asks for everything.
pub(crate) async fn nkchat(
    chronicle: &Arc<Chronicle>,
    socket: Socket,
    address: &str,
    user: &str,
) -> Option<Listener> {
    let mut session = Nkchat::open(address, user).await?;
    session.ask("core", "event", "subscribe", json!({"class": "chat"})).await?;
    chronicle.note(Fact::Listening { socket });
    let chronicle = Arc::clone(chronicle);
    let reading = tokio::spawn(async move {
        for frame in std::mem::take(&mut session.heard) {
            chronicle.note(Fact::Heard { socket, frame });
        }
        while let Some(frame) = session.next().await {
            chronicle.note(Fact::Heard { socket, frame });
        }
    });
    Some(Listener { socket, reading })
}

/// Where a device stands in each room: the log's life, and the last entry that it knows.
pub(crate) type Positions = Arc<Mutex<BTreeMap<String, (String, u64)>>>;

/// A device on the channels socket, which resumes where it was.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) user: &'static str,
    /// Which one, in the history.
    pub(crate) number: usize,
    pub(crate) positions: Positions,
    pub(crate) chronicle: Arc<Chronicle>,
}

impl Device {
    /// Subscribes to these rooms, after what it has of them, and reads on. None if the program is gone.
    pub(crate) async fn resume(&self, address: &str, rooms: &[String]) -> Option<Listener> {
        let socket = self.chronicle.open(self.user, self.number, "channels");
        let mut stream = open(&format!("ws://{address}/realtime?token={}", token(self.user))).await?;
        let known = self.positions.lock().unwrap().clone();
        let mut after = serde_json::Map::new();
        for room in rooms {
            let had = known.get(room).map(|(_, seq)| *seq);
            let (room, epoch) = (room.clone(), known.get(room).map(|(epoch, _)| epoch.clone()));
            self.chronicle.note(Fact::Subscribing { socket, room: room.clone(), after: had, epoch });
            if let Some((epoch, seq)) = known.get(&room) {
                after.insert(format!("channel:{room}"), json!({"epoch": epoch, "seq": seq}));
            }
        }
        let topics: Vec<String> = rooms.iter().map(|room| format!("channel:{room}")).collect();
        say(&mut stream, &json!({"action": "subscribe", "channels": topics, "after": after})).await?;
        loop {
            let frame = within("what was missed", next(&mut stream)).await?;
            assert_ne!(frame["type"], "error", "{frame}");
            let subscribed = frame["type"] == "subscribed";
            self.hear(socket, frame);
            if subscribed {
                break;
            }
        }
        let device = self.clone();
        let reading = tokio::spawn(async move {
            while let Some(frame) = next(&mut stream).await {
                device.hear(socket, frame);
            }
        });
        Some(Listener { socket, reading })
    }

    fn hear(&self, socket: Socket, frame: Value) {
        let mut positions = self.positions.lock().unwrap();
        if frame["type"] == "subscribed" {
            for (topic, position) in frame["data"]["positions"].as_object().unwrap() {
                let room = topic.trim_start_matches("channel:").to_owned();
                let (epoch, seq) = (position["epoch"].as_str().unwrap(), position["seq"].as_u64().unwrap());
                positions.insert(room.clone(), (epoch.to_owned(), seq));
                let (recovered, epoch) = (position["recovered"] == true, epoch.to_owned());
                self.chronicle.note(Fact::Subscribed { socket, room, seq, recovered, epoch });
            }
        } else if let (Some(room), Some(seq)) = (frame["data"]["channel_id"].as_str(), frame["seq"].as_u64())
        {
            let epoch = frame["epoch"].as_str().unwrap().to_owned();
            let position = positions.entry(room.to_owned()).or_insert((epoch, seq));
            position.1 = position.1.max(seq);
        }
        self.chronicle.note(Fact::Heard { socket, frame });
    }
}
