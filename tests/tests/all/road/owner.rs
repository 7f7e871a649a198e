//! What the owner's own systems are told: every entry, with its audience, and nothing that is secret.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use switchboard::TEMPLATE;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::harness::{Server, http::basic, program::Program, secrets, token, within};

/// A webhook that takes down what it is posted.
struct Hook {
    url: String,
    told: watch::Receiver<Vec<Value>>,
    refusals: Arc<AtomicUsize>,
}

impl Hook {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (telling, told) = watch::channel(Vec::new());
        let refusals = Arc::new(AtomicUsize::new(0));
        let refusing = Arc::clone(&refusals);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, telling.clone(), Arc::clone(&refusing)));
            }
        });
        Self { url, told, refusals }
    }

    /// Waits until what was told is so; all of it.
    async fn told(&self, what: &str, so: impl FnMut(&Vec<Value>) -> bool) -> Vec<Value> {
        let mut told = self.told.clone();
        let waiting = told.wait_for(so);
        within(what, waiting).await.unwrap().clone()
    }
}

/// Reads requests, each with its body, and takes them or refuses them.
async fn answer(stream: TcpStream, telling: watch::Sender<Vec<Value>>, refusals: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) && line.trim() != "" {
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        if length == 0 {
            return;
        }
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).await.is_err() {
            return;
        }
        let refused = refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        let status = if refused.is_ok() { "500 Internal Server Error" } else { "200 OK" };
        if refused.is_err() {
            telling.send_modify(|told| told.push(serde_json::from_slice(&body).unwrap()));
        }
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn server(hook: &Hook) -> Server {
    let url = hook.url.parse().unwrap();
    Server::in_process_with(|options| options.webhook = Some(url)).await
}

/// A uuid, always the same one.
fn id(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

#[tokio::test]
async fn every_entry_is_told_with_its_audience_and_without_secrets() {
    let hook = Hook::open().await;
    let server = server(&hook).await;
    let password = "correct horse battery staple";
    let ann = json!({"id": "ann", "displayName": "Ann", "email": "ann@example.org", "password": password});
    server.server().post("/v2/users", ann).await.expect(201);
    server.make_users(&["bob", "cat"]).await;
    let login = json!({"username": "ann@example.org", "password": password});
    let _ = server.api(Vec::new()).post("/api/v1/login", login).await;
    let room = json!({"id": "room", "title": "Room", "type": "private", "isGroup": true, "members": ["ann", "bob", "cat"]});
    let api = server.user("ann");
    api.post("/v2/conversations", room).await.expect(201);
    let message = |n: usize, body: &str, more: Value| {
        let mut message = json!({"id": id(n), "conversationId": "room", "body": body});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    let at = |rest: &str| format!("/v2/messages/{}/{rest}", id(1));
    let steps: [(&str, &str, Value); 12] = [
        ("POST", "/v2/messages/send", message(1, "hello", json!({"metaData": {"k": 1}}))),
        ("POST", "/v2/messages/send", message(2, "for bob", json!({"recipients": ["bob"]}))),
        (
            "POST",
            "/v2/messages/send",
            message(3, "quiet", json!({"events": {"sendPushNotification": false}})),
        ),
        ("POST", "/v2/messages/send", message(4, "a reply", json!({"parentId": id(1)}))),
        ("PATCH", &format!("/channels/room/messages/{}", id(1)), json!({"content": "hello again"})),
        ("POST", &at("add_reaction"), json!({"type": "like"})),
        ("POST", &at("pin"), json!({})),
        ("PUT", "/v2/conversations/room/update_title", json!({"title": "Hall"})),
        ("POST", "/v2/conversations/room/ban", json!({"userIds": ["cat"], "reason": "spam"})),
        ("POST", "/v2/messages/delete", json!({"messageIds": [id(1)]})),
        ("POST", "/v2/messages/delete_for_everyone", json!({"messageIds": [id(2)]})),
        ("DELETE", "/channels/room", json!({})),
    ];
    for (method, path, body) in steps {
        let answer = api.ask(method, path, Some(body)).await;
        assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.body);
    }
    server.settled().await;
    let mut told = hook.told.borrow().clone();
    told.sort_by_key(|event| (event["log"].as_u64(), event["seq"].as_u64()));
    let lines: String = told.iter().map(|event| format!("{event}\n")).collect();
    for secret in [password, &secrets().server, &secrets().token_key, "argon2"] {
        assert!(!lines.contains(secret), "{secret} was told");
    }
    golden(&lines);
    server.end().await;
}

/// What is said is a promise to other systems: it changes only on purpose.
fn golden(lines: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/events.jsonl");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value != "0") {
        fs::write(&path, lines).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == lines, "UPDATE_GOLDEN=1 writes it; it says now:\n{lines}");
}

#[tokio::test]
async fn an_event_that_was_refused_comes_again() {
    let hook = Hook::open().await;
    let server = server(&hook).await;
    hook.refusals.store(1, Ordering::SeqCst);
    server.make_users(&["ann", "bob"]).await;
    server.make_conversation("private", &["ann", "bob"]).await;
    let told = hook.told("the event", |told| !told.is_empty()).await;
    assert_eq!(told[0]["type"], "conversation_created", "{told:?}");
    assert_eq!(hook.refusals.load(Ordering::SeqCst), 0, "it was refused once");
    server.end().await;
}

#[tokio::test]
async fn a_topic_that_takes_nothing_holds_up_no_socket() {
    let template =
        TEMPLATE.replace("SWITCHBOARD_EVENTS: !Ref EventTopic", "SWITCHBOARD_EVENTS: !Ref Nowhere");
    assert_ne!(template, TEMPLATE);
    let server = Server::start_with(|options| options.template = Some(template)).await;
    server.make_users(&["ann", "bob"]).await;
    let url = format!("ws://{}/api/v1/events?token={}", server.running.address, server.token("bob"));
    let socket = crate::harness::socket::Socket::open("bob", url).await.unwrap();
    let room = server.make_conversation("private", &["ann", "bob"]).await;
    for n in 0..5 {
        server.user("ann").send(&room, &n.to_string()).await;
    }
    socket.wait_until("the messages", |heard| super::texts(&heard.frames).len() == 5).await;
    let failed = server.recorder.since(0, "announce").into_iter().filter(|one| one.failed).count();
    assert!(failed > 0, "the topic takes nothing");
    server.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_acknowledged_is_told_to_the_owner_nevertheless() {
    const ROUNDS: usize = 3;
    const MESSAGES: usize = 30;
    let hook = Hook::open().await;
    let folder = tempfile::tempdir().unwrap();
    // Every audience is a large one, so that the queue of chunks is under way, too.
    let arguments = ["--data", "data.db", "--webhook", &hook.url, "--large-audience", "1"];
    let mut acknowledged = BTreeSet::new();
    for round in 0..=ROUNDS {
        let mut program = Program::start(folder.path(), &arguments);
        let server = program.api(basic(&secrets().server)).with("user-id", "ann");
        if round == 0 {
            let body = json!({"id": "room", "title": "Room", "isGroup": true, "members": ["ann", "bob"]});
            server.post("/v2/conversations", body).await.expect(201);
        }
        if round == ROUNDS {
            let all = |told: &Vec<Value>| {
                let texts: BTreeSet<&str> =
                    told.iter().filter_map(|one| one["data"]["text"].as_str()).collect();
                acknowledged.iter().all(|text: &String| texts.contains(text.as_str()))
            };
            hook.told("everything", all).await;
            return;
        }
        let user = program.api(format!("Bearer {}", token("ann", 4_000_000_000)));
        for n in 0..MESSAGES {
            let text = format!("round {round}: {n}");
            user.send("room", &text).await;
            acknowledged.insert(text);
        }
        // What was written last is still under way.
        program.kill();
    }
}
