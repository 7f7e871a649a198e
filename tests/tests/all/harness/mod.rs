//! A server of one's own for each test, reached as clients reach it: over HTTP and WebSockets.
//!
//! # Layout
//! - [`Server`]: a started Switchboard, with a clock that stands still until it is stepped.
//! - [`http`]: what an application's server, or a user, asks and is answered.
//! - [`socket`]: what a user's socket hears.
//! - [`program`]: the program, where a process of its own is needed.
//! - [`recorder`]: what the functions did to the table, and what it cost.
//!
//! Nothing here waits for a time to pass: [`Server::heard`] says everything that a socket was due.

pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod recorder;
pub(crate) mod socket;

use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ConversationId, Number, Place, Seq, Timestamp, UserId};
use handlers::{
    auth::{self, Claims},
    context::{Clock, Secrets},
    delivery::{fan_out, road::Settings},
    invocation::{Invocation, Reply, StreamChange, StreamRecord},
};
use serde_json::{Value, json};
use switchboard::{Options, Running, dynamodb::Storage, invoke::invoke, start};

use self::{
    http::{Api, Client},
    recorder::Recorder,
    socket::Socket,
};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where the clock stands when a server starts. In the future, so that nothing that is kept for some time is
/// over by the machine's own clock.
pub(crate) const START: i64 = 2_000_000_000_000;

/// The secrets of a test's server: two, so that one is never taken for the other.
pub(crate) fn secrets() -> Secrets {
    Secrets { server: "server secret".to_owned(), token_key: "token key".to_owned(), issuer: None }
}

/// What takes longer than [`PATIENCE`] fails.
pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what} took longer than {PATIENCE:?}"),
    }
}

/// A text that no other test uses.
pub(crate) fn unique(prefix: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    format!("{prefix}-{nanos:x}-{process}-{number}")
}

/// A table of one's own: in the DynamoDB Local that the environment names, or in memory.
pub(crate) fn storage() -> Storage {
    match std::env::var("SWITCHBOARD_TEST_DYNAMODB") {
        Ok(url) => Storage::Remote { url, table: unique("tests"), state: None },
        Err(_) => Storage::Memory,
    }
}

/// The folder of the functions' binaries that the environment names, to be run instead of the handlers in here.
pub(crate) fn functions() -> Option<PathBuf> {
    std::env::var_os("SWITCHBOARD_TEST_LAMBDA").map(PathBuf::from)
}

/// How the road is set: as usual, or, with `SWITCHBOARD_TEST_LARGE_AUDIENCE=1`, so that every audience is large and
/// everything that is told goes through the queue.
fn road() -> Settings {
    let usual = Settings::default();
    let large = std::env::var("SWITCHBOARD_TEST_LARGE_AUDIENCE").ok().and_then(|text| text.parse().ok());
    Settings { large_audience: large.unwrap_or(usual.large_audience), ..usual }
}

/// A clock that stands still until it is stepped.
#[derive(Debug, Clone)]
pub(crate) struct Hand(Arc<AtomicI64>);

impl Hand {
    /// Now, unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves it on, and says where it stands then.
    pub(crate) fn step(&self, millis: i64) -> i64 {
        self.0.fetch_add(millis, Ordering::SeqCst) + millis
    }

    fn clock(&self) -> Clock {
        let hand = self.clone();
        Clock::from_fn(move || Timestamp::from_millis(hand.now()))
    }
}

/// A started Switchboard.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) clock: Hand,
    pub(crate) recorder: Arc<Recorder>,
    client: Client,
}

impl Server {
    /// With a table of its own, and its functions where the environment says: in here, or in processes of their own.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With options changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_on(functions(), change).await
    }

    /// With its functions in here, for a test that holds or steps the time, or that counts what a function
    /// remembers.
    pub(crate) async fn in_process() -> Self {
        Self::in_process_with(|_| {}).await
    }

    /// In here, with options changed.
    pub(crate) async fn in_process_with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start_on(None, change).await
    }

    /// With the functions of this folder in processes of their own, if there is one.
    pub(crate) async fn start_on(lambda: Option<PathBuf>, change: impl FnOnce(&mut Options)) -> Self {
        // Functions in processes of their own have the machine's clock.
        let start_at = if lambda.is_some() { Clock::system().now().millis() } else { START };
        let clock = Hand(Arc::new(AtomicI64::new(start_at)));
        let recorder = Arc::new(Recorder::default());
        let mut options = Options {
            storage: storage(),
            secrets: secrets(),
            clock: clock.clock(),
            lambda,
            observer: Some(Arc::clone(&recorder) as _),
            road: road(),
            ..Options::default()
        };
        change(&mut options);
        Self { running: start(options).await.unwrap(), clock, recorder, client: http::client() }
    }

    /// Whether the time stands still: what handlers write down is then [`START`] and the steps since.
    pub(crate) fn holds_time(&self) -> bool {
        self.clock.now() >= START
    }

    /// The application's server, on its own account.
    pub(crate) fn server(&self) -> Api {
        self.api(vec![("authorization".to_owned(), http::basic(&secrets().server))])
    }

    /// The application's server, acting for a user.
    pub(crate) fn acting_for(&self, user: &str) -> Api {
        self.server().with("user-id", user)
    }

    /// A user with a token.
    pub(crate) fn user(&self, user: &str) -> Api {
        self.api(vec![("authorization".to_owned(), format!("Bearer {}", self.token(user)))])
    }

    /// Somebody who sends these headers.
    pub(crate) fn api(&self, headers: Vec<(String, String)>) -> Api {
        Api::new(self.client.clone(), format!("http://{}", self.running.address), headers)
    }

    /// A user's token, good for an hour.
    pub(crate) fn token(&self, user: &str) -> String {
        token(user, self.clock.now() / 1000 + 3600)
    }

    /// Waits until what was written so far has been delivered: who begins to listen now hears none of it.
    pub(crate) async fn settled(&self) {
        within("delivery", self.running.drained()).await;
    }

    /// A user's socket on the `events` stream, which hears what is written from now on.
    pub(crate) async fn listen(&self, user: &str) -> Socket {
        self.settled().await;
        let url = format!("ws://{}/api/v1/events?token={}", self.running.address, self.token(user));
        Socket::open(user, &url).await.unwrap()
    }

    /// Makes a user, known by the name as id.
    pub(crate) async fn make_user(&self, id: &str) {
        self.server().post("/v2/users", json!({"id": id, "displayName": id})).await.expect(201);
    }

    /// Makes users, numbered from 1 on in a new table.
    pub(crate) async fn make_users(&self, ids: &[&str]) {
        for id in ids {
            self.make_user(id).await;
        }
    }

    /// Makes a conversation, whose owner is the first of the members; says its id.
    pub(crate) async fn make_conversation(&self, kind: &str, members: &[&str]) -> String {
        let body = json!({"title": "Team", "type": kind, "isGroup": true, "members": members});
        let made = self.user(members[0]).post("/v2/conversations", body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Waits until what was written has been delivered, and says what the socket heard since it was last asked:
    /// all of it, and nothing that came later.
    pub(crate) async fn heard(&self, socket: &mut Socket) -> Vec<Value> {
        self.settled().await;
        let user = UserId::parse(socket.user.as_str()).unwrap();
        let now = Timestamp::from_millis(self.clock.now());
        let mark = json!({ "mark": unique("mark") });
        let connections = self.running.context.store.connections(&user, now).await.unwrap();
        assert!(!connections.is_empty(), "{user} has no connection");
        for connection in connections {
            // What is posted to a connection arrives in order: behind the mark there is nothing left.
            let open = self.running.connections.get(&connection.id).unwrap();
            open.post(mark.to_string().into()).unwrap();
        }
        socket.up_to(&mark).await
    }

    /// Waits until the table knows no connection of the user's any more.
    pub(crate) async fn forgotten(&self, user: &str) {
        let id = UserId::parse(user).unwrap();
        let now = Timestamp::from_millis(self.clock.now());
        let store = &self.running.context.store;
        let forgotten = async {
            while !store.connections(&id, now).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        within("forgetting a connection", forgotten).await;
    }

    /// The number of a conversation.
    pub(crate) async fn number(&self, conversation: &str) -> Number {
        let id = ConversationId::parse(conversation).unwrap();
        self.running.context.store.conversation(&id, true).await.unwrap().unwrap().number
    }

    /// A whole log as the stream brings it.
    pub(crate) async fn records(&self, conversation: &str) -> Vec<StreamRecord> {
        self.records_after(conversation, 0).await
    }

    /// What comes after an entry of a log, as the stream brings it.
    async fn records_after(&self, conversation: &str, seq: u64) -> Vec<StreamRecord> {
        let partition = store::keys::log_partition(self.number(conversation).await);
        self.records_in(partition, store::keys::seq(Seq(seq))).await
    }

    /// What stands in a partition behind a sort key, as the stream brings it.
    async fn records_in(&self, partition: String, after: String) -> Vec<StreamRecord> {
        let query = self.running.items.query().table_name(&self.running.table).consistent_read(true);
        let query = query.key_condition_expression("pk = :pk AND sk > :sk");
        let query = query.expression_attribute_values(":sk", AttributeValue::S(after));
        let found =
            query.expression_attribute_values(":pk", AttributeValue::S(partition)).send().await.unwrap();
        let record = |(n, item): (usize, store::Item)| StreamRecord {
            change: StreamChange::Insert,
            sequence_number: format!("{n:021}"),
            keys: item.clone(),
            new_image: Some(item),
            old_image: None,
        };
        found.items.unwrap().into_iter().enumerate().map(record).collect()
    }

    /// Brings a whole log to the fan-out once more, as one batch, as Lambda may.
    pub(crate) async fn deliver_again(&self, conversation: &str) {
        self.deliver_after(conversation, 0).await;
    }

    /// Brings what comes after an entry of a log to the fan-out, as one batch.
    pub(crate) async fn deliver_after(&self, conversation: &str, seq: u64) {
        self.deliver_records(self.records_after(conversation, seq).await).await;
    }

    /// Brings to the fan-out that a listener of Channelstream has opened a socket.
    pub(crate) async fn deliver_socket(&self, listener: &str) {
        let now = Timestamp::from_millis(self.clock.now());
        let found = self.running.context.store.listener(listener, now).await.unwrap().unwrap();
        let key = store::keys::socket(&found.socket.unwrap());
        self.deliver_records(self.records_in(key.pk, " ".to_owned()).await).await;
    }

    /// What is announced of a user, as the stream brings it.
    pub(crate) async fn news_of(&self, user: &str) -> Vec<StreamRecord> {
        let key = store::keys::user_news(&UserId::parse(user).unwrap());
        self.records_in(key.pk, " ".to_owned()).await
    }

    /// Brings these to the fan-out, as one batch.
    pub(crate) async fn deliver_records(&self, records: Vec<StreamRecord>) {
        let call = Invocation::Stream(records);
        let reply = invoke(&fan_out::ENDPOINT, &self.running.context, call, PATIENCE).await.unwrap();
        assert!(matches!(&reply, Reply::Batch(failed) if failed.is_empty()), "{reply:?}");
    }

    /// What was written so far stays within what each function may do in AWS; then ends.
    pub(crate) async fn end(self) {
        self.settled().await;
        self.recorder.assert_within_access();
        self.running.shutdown().await;
    }
}

/// A user's token that ends then, unix seconds.
pub(crate) fn token(user: &str, exp: i64) -> String {
    auth::mint(&secrets().token_key, &Claims { sub: user.to_owned(), exp, admin: false }).unwrap()
}

/// The number of a message in the `events` dialect.
pub(crate) fn packed(room: u64, seq: u64) -> u64 {
    Place { number: Number(room), seq: Seq(seq) }.packed().unwrap()
}

/// What several sockets heard.
pub(crate) async fn all_heard(
    server: &Server,
    sockets: &mut BTreeMap<&'static str, Socket>,
) -> BTreeMap<&'static str, Vec<Value>> {
    let mut heard = BTreeMap::new();
    for (user, socket) in sockets {
        heard.insert(*user, server.heard(socket).await);
    }
    heard
}
