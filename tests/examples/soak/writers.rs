//! Those who write, one in each dialect, until the program is gone.
//!
//! What a dialect lets one send again under the same name (Channelize's `id`, an `Idempotency-Key`, Channelstream's
//! `uuid`) is sent again in the next life, and must then be there once.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use domain::Dialect;
use serde_json::{Value, json};
use tests::simulation::history::{Ask, Deed};

use crate::{
    chronicle::Chronicle,
    harness::{http::Api, secrets},
    sockets::Nkchat,
};

/// Between two messages of one writer.
const PAUSE: Duration = Duration::from_millis(20);
/// A request with an idempotency key is "under way" for half a minute, if the process died that was doing it.
const UNDER_WAY: Duration = Duration::from_secs(31);

/// A message that was sent and not answered, and under what name.
#[derive(Debug, Clone)]
struct Pending {
    ask: Ask,
    room: String,
    text: String,
    name: String,
    sent: Instant,
}

/// A writer, over all lives of the program.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) dialect: Dialect,
    pub(crate) user: String,
    chronicle: Arc<Chronicle>,
    count: u64,
    pending: Vec<Pending>,
    /// How often something was sent again and acknowledged.
    pub(crate) repeated: Arc<Mutex<usize>>,
}

/// What came back.
enum Answer {
    /// It was done, under this id.
    Done(Option<String>),
    /// It may have been done.
    Later,
    /// The program is gone.
    Gone,
}

/// The place of this life: where to write, and how.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) api: Api,
    pub(crate) address: String,
    pub(crate) room: String,
    /// The room's number, for the events dialect.
    pub(crate) number: u64,
}

impl Writer {
    pub(crate) fn new(dialect: Dialect, chronicle: Arc<Chronicle>, repeated: Arc<Mutex<usize>>) -> Self {
        let user = format!("writer-{}", dialect.name());
        Self { dialect, user, chronicle, count: 0, pending: Vec::new(), repeated }
    }

    /// Writes until the program is gone, or this says that it is enough.
    pub(crate) async fn write(mut self, place: Place, enough: Arc<std::sync::atomic::AtomicBool>) -> Self {
        let mut socket = match self.dialect {
            Dialect::Nkchat => match Nkchat::open(&place.address, &self.user).await {
                Some(socket) => Some(socket),
                None => return self,
            },
            _ => None,
        };
        while !enough.load(std::sync::atomic::Ordering::Relaxed) {
            let again = self.pending.iter().position(|pending| self.is_due(pending));
            let pending = match again {
                Some(index) => self.pending.remove(index),
                None => self.next(&place.room),
            };
            match self.send(&place, &pending, socket.as_mut()).await {
                Answer::Done(id) => {
                    self.chronicle.acknowledge(pending.ask, id);
                    *self.repeated.lock().unwrap() += usize::from(again.is_some());
                }
                Answer::Later => self.keep(pending),
                Answer::Gone => {
                    self.keep(pending);
                    return self;
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        self
    }

    fn is_due(&self, pending: &Pending) -> bool {
        self.dialect != Dialect::Channels || pending.sent.elapsed() >= UNDER_WAY
    }

    /// Keeps what can be sent again.
    fn keep(&mut self, pending: Pending) {
        if !matches!(self.dialect, Dialect::Events | Dialect::Nkchat) {
            self.pending.push(Pending { sent: Instant::now(), ..pending });
        }
    }

    fn next(&mut self, room: &str) -> Pending {
        self.count += 1;
        let text = format!("{} {}", self.dialect.name(), self.count);
        // A UUIDv4 of the dialect and the number: Channelstream takes no other.
        let name = format!("5a928b10-4258-41ea-9c0{}-{:012x}", self.dialect as u8, self.count);
        let deed = Deed::Say { text: text.clone(), only: Vec::new(), except: Vec::new() };
        let ask = self.chronicle.ask(&self.user, room, deed, self.dialect.name());
        Pending { ask, room: room.to_owned(), text, name, sent: Instant::now() }
    }

    async fn send(&self, place: &Place, message: &Pending, socket: Option<&mut Nkchat>) -> Answer {
        let Pending { room, text, name, .. } = message;
        let post = |api: Api, path: String, body: Value| async move {
            api.try_to_ask("POST", &path, Some(body)).await.ok()
        };
        let (answer, id) = match self.dialect {
            Dialect::Channelize => {
                let body = json!({"conversationId": room, "id": name, "body": text});
                (post(place.api.clone(), "/v2/messages/send".to_owned(), body).await, "/id")
            }
            Dialect::Channels => {
                let api = place.api.clone().with("idempotency-key", name);
                (
                    post(api, format!("/channels/{room}/messages"), json!({"content": text})).await,
                    "/message_id",
                )
            }
            Dialect::Events => {
                let path = format!("/api/v1/rooms/{}/messages", place.number);
                (post(place.api.clone(), path, json!({"content": text})).await, "/none")
            }
            Dialect::Channelstream => {
                let now = handlers::context::Clock::system().now();
                let signed = dialects::channelstream::signature::sign("x", &secrets().server, now);
                let api = place.api.clone().with("x-channelstream-secret", &signed);
                let message =
                    json!({"channel": room, "user": self.user, "uuid": name, "message": {"text": text}});
                (post(api, "/message".to_owned(), json!([message])).await, "/0/uuid")
            }
            Dialect::Nkchat => return self.command(room, text, socket).await,
        };
        let Some(answer) = answer else { return Answer::Gone };
        match answer.status {
            200 | 201 => Answer::Done(answer.body.pointer(id).and_then(Value::as_str).map(str::to_owned)),
            409 | 429 | 503 => Answer::Later,
            _ => panic!("refused: {answer:?}"),
        }
    }

    async fn command(&self, room: &str, text: &str, socket: Option<&mut Nkchat>) -> Answer {
        let data = json!({"conversation_id": room, "user_id": self.user, "message": text});
        let socket = socket.expect("an nkchat writer has a socket");
        match socket.ask("chat", "message", "create", data).await {
            None => Answer::Gone,
            Some(answer) if answer["result"] == "ok" => {
                Answer::Done(answer["data"]["message_id"].as_str().map(str::to_owned))
            }
            Some(answer) if answer["data"]["code"] == "internal_error" => Answer::Later,
            Some(answer) => panic!("refused: {answer}"),
        }
    }
}
