//! Every endpoint of a dialect, over a table in memory: with a conversation that alice and bob are in, and a
//! listener of each dialect whose frames are looked at.
//!
//! An input is: a byte for the endpoint, a byte for who asks, and three parts that lines end: the path's
//! parameters (`a=1&b=2`), the query, and the body.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use domain::{ConversationId, Dialect, Seq, Timestamp};
use handlers::{
    attachments::Attachments,
    context::{Clock, Context, Secrets},
    delivery::{fan_out, road::Road},
    endpoint::{Endpoint, Trigger},
    gateway::{Gateway, PostError, Sockets},
    invocation::{
        HttpCall, HttpReply, Invocation, Item, Reply, SocketCall, SocketEvent, StreamChange, StreamRecord,
    },
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use switchboard::dynamodb::{Storage, Tables};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const SECRET: &str = "fuzz";
const ROOM: &str = "room";
const LISTENER: &str = "d07136d4-e169-4810-8eae-934a402a9104";
/// What API Gateway takes.
const FRAME_BYTES: usize = 128 * 1024;
/// Requests to one world: it grows, and is made anew.
const LIFE: usize = 400;

/// Looks at every frame.
struct Judge(Arc<AtomicUsize>);

impl Sockets for Judge {
    fn post(&self, dialect: Dialect, _connection: &str, frame: Bytes) -> Result<(), PostError> {
        assert!(frame.len() <= FRAME_BYTES, "{dialect:?}: a frame of {} bytes", frame.len());
        let read = serde_json::from_slice::<Value>(&frame);
        assert!(read.is_ok(), "{dialect:?}: {}", String::from_utf8_lossy(&frame));
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn close(&self, _dialect: Dialect, _connection: &str) {}
}

/// A table, who listens, and how far they have been told.
struct World {
    context: Arc<Context>,
    tables: Tables,
    told: Seq,
    asked: usize,
    frames: Arc<AtomicUsize>,
}

/// One request of a client.
struct Ask<'a> {
    endpoint: &'static Endpoint,
    user: Option<&'a str>,
    server: bool,
    parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: &'a [u8],
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let text = String::from_utf8_lossy(text);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn named(name: &str) -> &'static Endpoint {
    let found = handlers::endpoints().into_iter().find(|endpoint| endpoint.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

fn token(user: &str) -> String {
    let claims = handlers::auth::Claims { sub: user.to_owned(), exp: i64::MAX, admin: false };
    handlers::auth::mint(SECRET, &claims).expect("a token can be minted")
}

impl World {
    async fn new() -> Self {
        let tables = switchboard::dynamodb::open(&Storage::Memory, None).await.expect("a table in memory");
        let frames = Arc::new(AtomicUsize::new(0));
        let context = Arc::new(Context {
            store: store::Store::new(tables.items.clone(), tables.name.as_str()),
            gateway: Gateway::Host(Arc::new(Judge(Arc::clone(&frames)))),
            attachments: Attachments::memory(),
            secrets: Secrets { server: SECRET.to_owned(), token_key: SECRET.to_owned(), issuer: None },
            clock: Clock::from_fn(|| NOW),
            allowed_origins: Vec::new(),
            road: Road::default(),
        });
        let mut world = Self { context, tables, told: Seq(0), asked: 0, frames };
        world.furnish().await;
        world
    }

    async fn furnish(&mut self) {
        let made = json!({"id": ROOM, "title": "Room", "type": "open", "isGroup": true, "members": ["alice", "bob"]});
        self.do_it("channelize-create-conversation", "alice", &made).await;
        let first = json!({"conversationId": ROOM, "id": "message", "body": "hello"});
        self.do_it("channelize-send-message", "alice", &first).await;
        for dialect in [Dialect::Channels, Dialect::Nkchat, Dialect::Events] {
            self.open(dialect, "bob").await;
        }
        let subscribe =
            json!({"action": "subscribe", "channels": [format!("channel:{ROOM}"), "user:bob", "global"]});
        self.say("channels-subscribe", Dialect::Channels, &subscribe.to_string()).await;
        let log_in = json!({"class": "core", "subclass": "user", "cmd": "login", "tid": 1,
            "data": {"login": "bob", "password": token("bob")}});
        self.say("nkchat-default", Dialect::Nkchat, &log_in.to_string()).await;
        let all = json!({"class": "core", "subclass": "event", "cmd": "subscribe", "tid": 2,
            "data": {"class": "chat"}});
        self.say("nkchat-default", Dialect::Nkchat, &all.to_string()).await;
        let connect = json!({"username": "bob", "conn_id": LISTENER, "channels": [ROOM],
            "channel_configs": {ROOM: {"store_history": true, "notify_presence": true, "broadcast_presence_with_user_lists": true}}});
        self.do_it("channelstream-connect", "bob", &connect).await;
        let mut opening =
            self.socket("channelstream-socket-connect", "listener-socket", SocketEvent::Connect);
        opening.query = vec![("conn_id".to_owned(), LISTENER.to_owned())];
        self.call(named("channelstream-socket-connect"), Invocation::Socket(opening)).await;
        self.tell().await;
    }

    fn socket(&self, name: &str, connection: &str, event: SocketEvent) -> SocketCall {
        let Trigger::Socket { route_key } = &named(name).trigger else { panic!("{name} is no socket's") };
        SocketCall {
            request_id: "fuzz".to_owned(),
            connection_id: connection.to_owned(),
            route_key: (*route_key).to_owned(),
            event,
            headers: HeaderMap::new(),
            query: Vec::new(),
            source_ip: "192.0.2.1".to_owned(),
        }
    }

    /// Opens the dialect's socket, if it has ended or never was.
    async fn open(&self, dialect: Dialect, user: &str) {
        let name = format!("{}-connect", dialect.name());
        let mut call = self.socket(&name, dialect.name(), SocketEvent::Connect);
        call.query = vec![("token".to_owned(), token(user))];
        self.call(named(&name), Invocation::Socket(call)).await;
    }

    async fn say(&self, name: &str, dialect: Dialect, text: &str) {
        let call = self.socket(name, dialect.name(), SocketEvent::Message(text.to_owned()));
        self.call(named(name), Invocation::Socket(call)).await;
    }

    async fn do_it(&self, name: &str, user: &str, body: &Value) {
        let body = body.to_string();
        let ask = Ask {
            endpoint: named(name),
            user: Some(user),
            server: true,
            parameters: Vec::new(),
            query: Vec::new(),
            body: body.as_bytes(),
        };
        let reply = self.request(&ask).await;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert!(reply.status.is_success(), "{name}: {} {text}", reply.status);
    }

    async fn call(&self, endpoint: &'static Endpoint, call: Invocation) -> Reply {
        (endpoint.handler)(Arc::clone(&self.context), call).await
    }

    async fn request(&self, ask: &Ask<'_>) -> HttpReply {
        let Trigger::Http { method, path } = &ask.endpoint.trigger else {
            panic!("{} is no route", ask.endpoint.name)
        };
        let call = HttpCall {
            request_id: "fuzz".to_owned(),
            method: method.clone(),
            path: (*path).to_owned(),
            parameters: path_parameters(path, &ask.parameters),
            query: ask.query.clone(),
            headers: headers(ask),
            body: Bytes::copy_from_slice(ask.body),
            source_ip: "192.0.2.1".to_owned(),
        };
        match self.call(ask.endpoint, Invocation::Http(call)).await {
            Reply::Http(reply) => reply,
            other => panic!("{}: {other:?}", ask.endpoint.name),
        }
    }

    /// Brings what was written since the last time to all who listen.
    async fn tell(&mut self) {
        let id = ConversationId::trusted(ROOM);
        let Ok(Some(room)) = self.context.store.conversation(&id, true).await else { return };
        let (partition, after) = (store::keys::log_partition(room.number), store::keys::seq(self.told));
        let text = AttributeValue::S;
        let query = self.tables.items.query().table_name(&self.tables.name).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk AND sk > :sk");
        let query = query
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":sk", text(after));
        let found = query.send().await.expect("the table answers").items.unwrap_or_default();
        self.told = Seq(self.told.0 + u64::try_from(found.len()).unwrap_or_default());
        if found.is_empty() {
            return;
        }
        let record = |(n, item): (usize, Item)| StreamRecord {
            change: StreamChange::Insert,
            sequence_number: format!("{n:021}"),
            keys: item.clone(),
            new_image: Some(item),
            old_image: None,
        };
        let call = Invocation::Stream(found.into_iter().enumerate().map(record).collect());
        let Reply::Batch(failed) = self.call(&fan_out::ENDPOINT, call).await else { panic!("no batch") };
        assert!(failed.is_empty(), "the fan-out failed on what was written");
    }

    async fn ask(&mut self, dialect: Dialect, data: &[u8]) {
        self.asked += 1;
        let mut ours: Vec<_> =
            handlers::endpoints().into_iter().filter(|one| one.dialect == Some(dialect)).collect();
        // As `fuzz/seeds` counts them.
        ours.sort_by_key(|one| one.name);
        let [endpoint, caller, rest @ ..] = data else { return };
        let endpoint = ours[usize::from(*endpoint) % ours.len()];
        let mut parts = rest.splitn(3, |byte| *byte == b'\n');
        let mut part = || parts.next().unwrap_or_default();
        let (parameters, query, body) = (pairs(part()), pairs(part()), part());
        let user = [Some("alice"), Some("bob"), None][usize::from(caller % 3)];
        let server = caller & 0x80 == 0;
        match &endpoint.trigger {
            Trigger::Http { .. } => {
                let reply = self.request(&Ask { endpoint, user, server, parameters, query, body }).await;
                judge(endpoint, &reply);
            }
            Trigger::Socket { route_key } => {
                self.message(dialect, endpoint, route_key, query, body).await;
            }
            Trigger::Unrouted | Trigger::Stream(_) | Trigger::Queue => {}
        }
        self.tell().await;
    }

    async fn message(
        &self,
        dialect: Dialect,
        endpoint: &'static Endpoint,
        route_key: &str,
        query: Vec<(String, String)>,
        body: &[u8],
    ) {
        let text = String::from_utf8_lossy(body).into_owned();
        let event = match route_key {
            "$connect" => SocketEvent::Connect,
            "$disconnect" => SocketEvent::Disconnect { code: 1000, reason: text },
            _ => SocketEvent::Message(text),
        };
        // Who comes or goes is another one than who listens.
        let connection =
            if route_key.starts_with('$') && route_key != "$default" { "other" } else { dialect.name() };
        let mut call = self.socket(endpoint.name, connection, event);
        call.query = query;
        let Reply::Http(reply) = self.call(endpoint, Invocation::Socket(call)).await else {
            panic!("{} answers no socket", endpoint.name)
        };
        judge(endpoint, &reply);
    }
}

fn path_parameters(path: &str, given: &[(String, String)]) -> std::collections::BTreeMap<String, String> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let value = |name: &str| {
        let given = given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        given.unwrap_or_else(|| {
            let known = if name.contains("user") {
                "bob"
            } else if name.contains("message") {
                "message"
            } else {
                ROOM
            };
            known.to_owned()
        })
    };
    names.map(|name| (name.to_owned(), value(name))).collect()
}

fn headers(ask: &Ask<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json".to_owned());
    if ask.server {
        // base64 of the secret.
        set("authorization", "Basic ZnV6eg==".to_owned());
        set("x-channelstream-secret", dialects::channelstream::signature::sign("x", SECRET, NOW));
        if let Some(user) = ask.user {
            set("user-id", user.to_owned());
        }
    } else if let Some(user) = ask.user {
        set("authorization", format!("Bearer {}", token(user)));
    }
    if let Some((_, form)) = ask.query.iter().find(|(name, _)| name == "form") {
        set("content-type", form.clone());
    }
    headers
}

/// No request makes a server fail, and what says that it is JSON is JSON.
fn judge(endpoint: &Endpoint, reply: &HttpReply) {
    let text = || String::from_utf8_lossy(&reply.body).into_owned();
    assert_ne!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{}: {}", endpoint.name, text());
    let kind =
        reply.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.contains("json") && !reply.body.is_empty() {
        assert!(serde_json::from_slice::<Value>(&reply.body).is_ok(), "{}: {}", endpoint.name, text());
    }
}

thread_local! {
    static WORLD: RefCell<Option<(tokio::runtime::Runtime, World)>> = const { RefCell::new(None) };
}

/// Sends an input to an endpoint of the dialect, and tells all listeners what came of it.
pub fn ask(dialect: Dialect, data: &[u8]) {
    WORLD.with_borrow_mut(|kept| {
        let (runtime, mut world) = kept.take().filter(|(_, world)| world.asked < LIFE).unwrap_or_else(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let world = runtime.block_on(World::new());
            assert!(world.frames.load(Ordering::Relaxed) > 0, "nobody listens");
            (runtime, world)
        });
        runtime.block_on(world.ask(dialect, data));
        *kept = Some((runtime, world));
    });
}
