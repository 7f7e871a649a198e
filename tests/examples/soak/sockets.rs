//! Those who listen: each notes what it hears, life by life.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::harness::{token, within};

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

/// What one socket heard in one life: of each room, the messages' ids or texts in the order in which they came.
pub(crate) type Heard = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

fn note(heard: &Heard, room: &Value, what: &Value) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    heard.lock().unwrap().entry(text(room)).or_default().push(text(what));
}

/// A socket of the events dialect: rooms by number, messages by number.
pub(crate) async fn events(address: &str, user: &str) -> Option<(Heard, JoinHandle<()>)> {
    let mut stream = open(&format!("ws://{address}/api/v1/events?token={}", token(user))).await?;
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    let reading = tokio::spawn(async move {
        while let Some(frame) = next(&mut stream).await {
            if frame["type"] == "TextMessagesCreated" {
                for message in frame["data"]["messages"].as_array().unwrap() {
                    note(&notes, &message["roomId"], &message["messageId"]);
                }
            }
        }
    });
    Some((heard, reading))
}

/// A listener of Channelstream: rooms by name, messages by text.
pub(crate) async fn channelstream(address: &str, conn_id: &str) -> Option<(Heard, JoinHandle<()>)> {
    let mut stream = open(&format!("ws://{address}/ws?conn_id={conn_id}")).await?;
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    let reading = tokio::spawn(async move {
        while let Some(frame) = next(&mut stream).await {
            for event in frame.as_array().unwrap().iter().filter(|event| event["type"] == "message") {
                note(&notes, &event["channel"], &event["message"]["text"]);
            }
        }
    });
    Some((heard, reading))
}

/// A session of nkchat that hears everything: rooms by id, messages by id.
pub(crate) async fn nkchat(address: &str, user: &str) -> Option<(Heard, JoinHandle<()>)> {
    let mut session = Nkchat::open(address, user).await?;
    session.ask("core", "event", "subscribe", json!({"class": "chat"})).await?;
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    let reading = tokio::spawn(async move {
        for early in std::mem::take(&mut session.heard) {
            created(&notes, &early);
        }
        while let Some(frame) = session.next().await {
            created(&notes, &frame);
        }
    });
    Some((heard, reading))
}

fn created(heard: &Heard, frame: &Value) {
    if frame["data"]["type"] == "created_message" {
        note(heard, &frame["data"]["obj_id"], &frame["data"]["body"]["message_id"]);
    }
}

/// What a device has of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    epoch: String,
    /// The last entry that it knows.
    seq: u64,
    /// The messages, by their entries.
    pub(crate) messages: BTreeMap<u64, String>,
}

/// A device on the channels socket, which resumes where it was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Device {
    pub(crate) rooms: BTreeMap<String, Kept>,
    /// What may not be.
    pub(crate) faults: Vec<String>,
    /// How often it came back, and what it got then that it had missed.
    pub(crate) resumed: usize,
    pub(crate) missed: usize,
}

/// A device, shared with the task that reads for it.
pub(crate) type Shared = Arc<Mutex<Device>>;

impl Device {
    /// Takes an event.
    fn hear(&mut self, frame: &Value) {
        let (Some(room), Some(seq)) = (frame["data"]["channel_id"].as_str(), frame["seq"].as_u64()) else {
            return;
        };
        let copy = self.rooms.entry(room.to_owned()).or_default();
        if seq > copy.seq + 1 && copy.seq > 0 {
            self.faults.push(format!("{room}: entry {seq} came after entry {}", copy.seq));
        }
        copy.seq = copy.seq.max(seq);
        if frame["type"] == "channel_message" {
            let text = frame["data"]["content"].as_str().unwrap_or_default().to_owned();
            let before = copy.messages.insert(seq, text.clone());
            if before.is_some_and(|before| before != text) {
                self.faults.push(format!("{room}: entry {seq} is two things"));
            }
        }
    }

    fn subscribed(&mut self, frame: &Value, anew: &[String]) {
        for (topic, position) in frame["data"]["positions"].as_object().unwrap() {
            let room = topic.trim_start_matches("channel:").to_owned();
            if position["recovered"] != true && !anew.contains(&room) {
                self.faults.push(format!("{room} was not recovered: {position}"));
            }
            let copy = self.rooms.entry(room).or_default();
            copy.epoch = position["epoch"].as_str().unwrap().to_owned();
            copy.seq = copy.seq.max(position["seq"].as_u64().unwrap());
        }
    }
}

/// Subscribes the device to these rooms, after what it has of them, and reads on. None if the program is gone.
pub(crate) async fn resume(
    address: &str,
    user: &str,
    device: &Shared,
    rooms: &[String],
) -> Option<JoinHandle<()>> {
    let mut stream = open(&format!("ws://{address}/realtime?token={}", token(user))).await?;
    let known = device.lock().unwrap().rooms.clone();
    let anew: Vec<String> = rooms.iter().filter(|room| !known.contains_key(*room)).cloned().collect();
    let topics: Vec<String> = rooms.iter().map(|room| format!("channel:{room}")).collect();
    let after: BTreeMap<String, Value> = known
        .iter()
        .filter(|(room, _)| rooms.contains(room))
        .map(|(room, copy)| (format!("channel:{room}"), json!({"epoch": copy.epoch, "seq": copy.seq})))
        .collect();
    say(&mut stream, &json!({"action": "subscribe", "channels": topics, "after": after})).await?;
    loop {
        let frame = within("what was missed", next(&mut stream)).await?;
        let mut device = device.lock().unwrap();
        if frame["type"] == "error" {
            device.faults.push(frame.to_string());
            return None;
        }
        if frame["type"] == "subscribed" {
            device.subscribed(&frame, &anew);
            device.resumed += usize::from(!after.is_empty());
            break;
        }
        device.missed += 1;
        device.hear(&frame);
    }
    let device = Arc::clone(device);
    Some(tokio::spawn(async move {
        while let Some(frame) = next(&mut stream).await {
            device.lock().unwrap().hear(&frame);
        }
    }))
}

/// A room's whole log, by resuming from its beginning.
pub(crate) async fn from_the_beginning(address: &str, user: &str, room: &str, epoch: &str) -> Device {
    let device = Shared::default();
    let copy = Kept { epoch: epoch.to_owned(), ..Kept::default() };
    device.lock().unwrap().rooms.insert(room.to_owned(), copy);
    let reading = resume(address, user, &device, &[room.to_owned()]).await;
    reading.expect("the program answers").abort();
    let device = device.lock().unwrap();
    device.clone()
}

impl Kept {
    /// The life of the log that this is a copy of.
    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }
}
