//! What a client of each dialect hears and reads, in the table's words: the event's type, then what identifies it.

use std::collections::BTreeMap;

use domain::Dialect;
use serde_json::{Value, json};

use super::{Scene, USERS, drivers::Action};
use crate::{
    channels::Realtime,
    channelstream::{self, Listener, signed},
    harness::{Server, socket::Socket},
    nkchat::Client,
};

/// Whose client speaks a dialect.
pub(super) const fn watcher(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Channelize => "cleo",
        Dialect::Channels => "chan",
        Dialect::Channelstream => "stream",
        Dialect::Events => "eve",
        Dialect::Nkchat => "nora",
    }
}

/// What each dialect's client heard or read.
pub(super) type ByDialect = BTreeMap<Dialect, String>;

/// The clients that listen. Channelize has no socket.
pub(super) struct Watchers {
    pub(super) stream: Listener,
    pub(super) channels: Realtime,
    pub(super) nkchat: Client,
    pub(super) events: Socket,
}

impl Watchers {
    /// Opens the sockets of the five watchers.
    pub(super) async fn open(server: &Server) -> Self {
        Self::open_as(server, watcher).await
    }

    /// Opens the sockets of those who this says speak each dialect.
    pub(super) async fn open_as(server: &Server, who: impl Fn(Dialect) -> &'static str) -> Self {
        let stream = channelstream::listen(server, who(Dialect::Channelstream), &["lobby"]).await;
        let mut nkchat = Client::login(server, who(Dialect::Nkchat), false).await;
        nkchat.subscribe(json!({"class": "chat"})).await;
        let channels = Realtime::open(server, who(Dialect::Channels)).await;
        let events = server.listen(who(Dialect::Events)).await;
        Self { stream, channels, nkchat, events }
    }

    /// Subscribes to a conversation, in the dialects in which one must.
    pub(super) async fn follow(&mut self, server: &Server, id: &str) {
        server.settled().await;
        let body = json!({"conn_id": self.stream.id, "channels": [id]});
        let answer = signed(server).post("/subscribe", body).await.expect(200);
        assert_eq!(answer["subscribed_to"], json!([id]));
        let (_, answer) = self.channels.subscribe(&[&format!("channel:{id}")], json!(null)).await;
        assert_eq!(answer["data"]["channels"], json!([format!("channel:{id}")]));
    }

    /// All frames that each client heard since it was last asked.
    pub(super) async fn frames(&mut self, server: &Server) -> BTreeMap<Dialect, Vec<Value>> {
        let mut all = BTreeMap::from([
            (Dialect::Channelize, Vec::new()),
            (Dialect::Channels, self.channels.heard(server).await),
            (Dialect::Channelstream, channelstream::heard(server, &mut self.stream).await),
            (Dialect::Events, server.heard(&mut self.events).await),
            (Dialect::Nkchat, self.nkchat.events(server).await),
        ]);
        // Where one user has all the sockets, the harness's marks come to each of them.
        for frames in all.values_mut() {
            frames.retain(|frame| !frame.is_null() && frame.get("mark").is_none());
        }
        all
    }

    /// What each of them heard since, in the table's words.
    pub(super) async fn heard(&mut self, server: &Server, scene: &Scene) -> ByDialect {
        let frames = self.frames(server).await;
        frames
            .into_iter()
            .map(|(dialect, frames)| {
                let words: Vec<String> = frames.iter().map(|frame| in_words(scene, dialect, frame)).collect();
                (dialect, words.join(", "))
            })
            .collect()
    }
}

fn in_words(scene: &Scene, dialect: Dialect, frame: &Value) -> String {
    let text = match dialect {
        Dialect::Channelize => panic!("channelize has no socket"),
        Dialect::Channels => of_channels(scene, frame),
        Dialect::Channelstream => of_channelstream(scene, frame),
        Dialect::Events => of_events(scene, frame),
        Dialect::Nkchat => of_nkchat(scene, frame),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The text that a message says, in quotes; nothing if it says none.
fn quoted(value: &Value) -> String {
    value.as_str().map(|text| format!("\"{text}\"")).unwrap_or_default()
}

/// A frame must say where it happened: what says otherwise is marked.
fn here(says: &Value, is: &Value) -> &'static str {
    if says == is { "" } else { "ELSEWHERE" }
}

fn of_channels(scene: &Scene, frame: &Value) -> String {
    let data = &frame["data"];
    let message = data.get("message_id").map_or("", |id| scene.name(id));
    let parent = data.get("parent_message_id").map(|id| format!("to {}", scene.name(id)));
    let place = if frame["seq"].is_u64() && frame["epoch"].is_string() { "" } else { "NOWHERE" };
    format!(
        "{} {message} {} {} {} {} {place} {}",
        word(&frame["type"]),
        parent.unwrap_or_default(),
        word(&data["user_id"]),
        quoted(&data["content"]),
        quoted(&data["motive"]),
        here(&data["channel_id"], &json!(scene.id)),
    )
}

fn of_channelstream(scene: &Scene, frame: &Value) -> String {
    format!(
        "{} {} {} {} {}",
        word(&frame["type"]),
        scene.name(&frame["uuid"]),
        word(&frame["user"]),
        quoted(&frame["message"]["text"]),
        here(&frame["channel"], &json!(scene.id)),
    )
}

fn of_nkchat(scene: &Scene, event: &Value) -> String {
    let body = &event["body"];
    let message = body.get("message_id").map_or("", |id| scene.name(id));
    let users: Vec<&str> = body["user_ids"].as_array().into_iter().flatten().map(word).collect();
    let class = if event["class"] == "chat" && event["subclass"] == "conversation" { "" } else { "ODD" };
    let place = here(&event["obj_id"], &json!(scene.id));
    format!("{} {message} {} {class} {place}", word(&event["type"]), users.join(" "))
}

fn of_events(scene: &Scene, frame: &Value) -> String {
    let data = &frame["data"];
    let kind = word(&frame["type"]);
    match kind {
        "TextMessagesCreated" | "TextMessagesUpdated" => {
            let messages: Vec<String> =
                data["messages"].as_array().unwrap().iter().map(|one| text_message(scene, one)).collect();
            format!("{kind} {}", messages.join(" and "))
        }
        "TextMessageDeleted" => {
            let place = here(&data["roomId"], &json!(scene.room));
            format!("{kind} {} {place}", scene.name(&data["messageId"]))
        }
        "RoomCreated" | "RoomUpdated" => {
            let room = &data["room"];
            let last = match &room["lastMessage"] {
                Value::Null => "",
                last => scene.name(&last["messageId"]),
            };
            format!("{kind} {last} {}", here(&room["roomId"], &json!(scene.room)))
        }
        _ => format!("{kind} {}", here(&data["roomId"], &json!(scene.room))),
    }
}

/// A message of the `events` dialect: what it is called, what it replies to, whose it is, what it says, and how many
/// replies it has.
fn text_message(scene: &Scene, it: &Value) -> String {
    let parent = match it["parentMessageId"].as_u64() {
        Some(0) | None => String::new(),
        Some(number) => format!("to {}", scene.name(&json!(number))),
    };
    let replies = match it["commentCount"].as_u64() {
        Some(0) | None => String::new(),
        Some(count) => format!("({count})"),
    };
    let author = it["userId"].as_u64().and_then(|number| USERS.get(usize::try_from(number - 1).unwrap()));
    format!(
        "{} {parent} {} {} {replies} {}",
        scene.name(&it["messageId"]),
        author.copied().unwrap_or("?"),
        quoted(&it["text"]),
        here(&it["roomId"], &json!(scene.room)),
    )
}

/// What each dialect's client reads about what was done: the message, or whether Tom is a member.
pub(super) async fn read(server: &Server, scene: &Scene, action: Action) -> ByDialect {
    let mut read = ByDialect::new();
    for dialect in Dialect::ALL {
        let said = matches!(action, Action::Send(_) | Action::Edit(_) | Action::Delete | Action::Reply(_));
        let words = if said {
            message(server, scene, dialect).await
        } else {
            membership(server, scene, dialect).await
        };
        read.insert(dialect, words.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    read
}

/// How a dialect's own list shows M.
async fn message(server: &Server, scene: &Scene, dialect: Dialect) -> String {
    let api = server.user(watcher(dialect));
    let (uuid, number) = (json!(scene.uuid("M")), scene.number("M"));
    let find = |list: &Value, key: &str, id: &Value| -> Option<Value> {
        list.as_array().unwrap().iter().find(|one| one[key] == *id).cloned()
    };
    let gone = || "nothing".to_owned();
    match dialect {
        Dialect::Channelize => {
            let listed = json!(api.messages(&scene.id).await);
            find(&listed, "id", &uuid).map_or_else(gone, |it| {
                let parent = it.get("parentId").filter(|id| id.is_string());
                let parent = parent.map(|id| format!("to {}", scene.name(id))).unwrap_or_default();
                let recalled = if it["isDeleted"] == true { "isDeleted" } else { "" };
                format!("M {parent} {} {} {recalled}", word(&it["ownerId"]), quoted(&it["body"]))
            })
        }
        Dialect::Channels => {
            let listed = api.get(&format!("/channels/{}/messages", scene.id)).await.expect(200);
            find(&listed["data"], "message_id", &uuid).map_or_else(gone, |it| {
                let parent = it.get("parent_message_id").filter(|id| id.is_string());
                let parent = parent.map(|id| format!("to {}", scene.name(id))).unwrap_or_default();
                format!("M {parent} {} {}", word(&it["user_id"]), quoted(&it["content"]))
            })
        }
        Dialect::Channelstream => {
            let asked = json!({"info": {"channels": [scene.id]}});
            let info = signed(server).post("/info", asked).await.expect(200);
            find(&info["channels"][&scene.id]["history"], "uuid", &uuid)
                .map_or_else(gone, |it| format!("M {} {}", word(&it["user"]), quoted(&it["message"]["text"])))
        }
        Dialect::Events => {
            let path = match scene.messages.get("P") {
                Some((_, parent)) => format!("/api/v1/messages/{parent}/comments"),
                None => format!("/api/v1/rooms/{}/messages", scene.room),
            };
            let path = format!("{path}?cursor=-1&limit=100&direction=backward");
            let listed = api.get(&path).await.expect(200);
            find(&listed["messages"], "messageId", &json!(number))
                .map_or_else(gone, |it| text_message(scene, &it))
        }
        Dialect::Nkchat => {
            let get = json!({
                "class": "chat", "subclass": "message", "cmd": "get", "data": {"message_id": uuid},
            });
            let answer = api.post("/nkchat/rpc", get).await.expect(200);
            let it = &answer["data"];
            match answer["result"].as_str() {
                Some("ok") => format!(
                    "{} {} {} {}",
                    scene.name(&it["message_id"]),
                    word(&it["user_id"]),
                    quoted(&it["message"]),
                    here(&it["conversation_id"], &json!(scene.id)),
                ),
                _ => word(&it["code"]).to_owned(),
            }
        }
    }
}

/// Whether a dialect's own list of members has Tom.
async fn membership(server: &Server, scene: &Scene, dialect: Dialect) -> String {
    let api = server.user(watcher(dialect));
    let has = |list: &Value, key: &str| {
        let listed = |one: &Value| if key.is_empty() { one == "tom" } else { one[key] == "tom" };
        let is = list.as_array().unwrap().iter().any(listed);
        (if is { "tom is in" } else { "tom is not in" }).to_owned()
    };
    match dialect {
        Dialect::Channelize => {
            let members = api.get(&format!("/v2/conversations/{}/members", scene.id)).await.expect(200);
            has(&members, "userId")
        }
        Dialect::Channels => {
            let members = api.get(&format!("/channels/{}/members?limit=100", scene.id)).await.expect(200);
            has(&members["data"], "user_id")
        }
        Dialect::Nkchat => {
            let get = json!({
                "class": "chat", "subclass": "conversation", "cmd": "get_members",
                "data": {"conversation_id": scene.id},
            });
            let answer = api.post("/nkchat/rpc", get).await.expect(200);
            has(&answer["data"]["user_ids"], "")
        }
        // They have no list of members.
        Dialect::Channelstream | Dialect::Events => String::new(),
    }
}
