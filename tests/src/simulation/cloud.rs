//! The functions of a world: each call runs in one of a few processes, which share nothing but the table, and may
//! be killed at any await, or do everything and lose the answer.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context as Polling, Poll},
    time::Duration,
};

use domain::Dialect;
use futures_util::FutureExt as _;
use handlers::{
    attachments::Attachments,
    context::{Clock, Context, Secrets},
    delivery::{
        road::{Road, Settings},
        topic::Topics,
    },
    endpoint::{Endpoint, Trigger},
    gateway::Gateway,
    invocation::{
        HttpCall, HttpReply, Invocation, QueueMessage, Reply, SocketCall, SocketEvent, StreamRecord,
    },
};
use store::Store;
use switchboard::dynamodb::TABLE;

use super::{
    dice::Dice,
    gateway::Lines,
    history::{Fact, History},
    table::Table,
    time,
    weather::Weather,
};

/// What the application's server knows.
pub const SERVER_SECRET: &str = "the server's";
/// What signs tokens.
pub const TOKEN_KEY: &str = "the tokens'";
/// Processes that requests go to beside the first, and processes of each function that delivers.
const PROCESSES: (usize, usize) = (2, 2);
/// API Gateway waits so long for a function.
const PATIENCE: Duration = Duration::from_secs(29);
/// A function that delivers may take so long.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(60);

/// All functions.
pub struct Cloud {
    first: Arc<Context>,
    others: Vec<Arc<Context>>,
    deliveries: Vec<Arc<Context>>,
    workers: Vec<Arc<Context>>,
    routes: BTreeMap<&'static str, &'static Endpoint>,
    dice: Dice,
    weather: Weather,
    history: History,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").finish_non_exhaustive()
    }
}

impl Cloud {
    /// Functions over this table and these connections.
    #[must_use]
    pub fn new(
        seed: u64,
        table: &Arc<Table>,
        lines: &Lines,
        (settings, topics): (Settings, &Topics),
        (weather, history): (Weather, History),
    ) -> Self {
        let process = |name: String| {
            Arc::new(Context {
                road: Road::new(settings, topics.clone()),
                store: Store::new(table.client(&name), TABLE),
                gateway: Gateway::Host(Arc::new(lines.clone())),
                attachments: Attachments::Nowhere,
                secrets: Secrets {
                    server: SERVER_SECRET.to_owned(),
                    token_key: TOKEN_KEY.to_owned(),
                    issuer: None,
                },
                clock: Clock::from_fn(time::now),
                allowed_origins: Vec::new(),
            })
        };
        Self {
            first: process(format!("{seed}-first")),
            others: (0..PROCESSES.0).map(|n| process(format!("{seed}-request-{n}"))).collect(),
            deliveries: (0..PROCESSES.1).map(|n| process(format!("{seed}-delivery-{n}"))).collect(),
            workers: (0..PROCESSES.1).map(|n| process(format!("{seed}-worker-{n}"))).collect(),
            routes: handlers::endpoints().into_iter().map(|one| (one.name, one)).collect(),
            dice: Dice::new(seed, "cloud"),
            weather,
            history,
        }
    }

    /// A process that requests go to.
    #[must_use]
    pub const fn process(&self) -> &Arc<Context> {
        &self.first
    }

    fn any_process(&self) -> Arc<Context> {
        let other = self.dice.pick(&self.others).filter(|_| self.dice.below(3) > 0);
        Arc::clone(other.unwrap_or(&self.first))
    }

    /// Calls the function of that name over HTTP; none if no answer came.
    pub async fn http(&self, function: &str, mut call: HttpCall) -> Option<HttpReply> {
        let endpoint = *self.routes.get(function)?;
        let Trigger::Http { method, path } = &endpoint.trigger else { return None };
        call.method = method.clone();
        call.path = (*path).to_owned();
        for (name, value) in &call.parameters {
            call.path = call.path.replace(&format!("{{{name}}}"), value);
        }
        let process = self.any_process();
        match self.invoke(endpoint, process, Invocation::Http(call), PATIENCE).await? {
            Reply::Http(reply) => Some(reply),
            Reply::Batch(_) => None,
        }
    }

    /// Calls the function that a route of a WebSocket API selects; none if no answer came.
    pub async fn socket(&self, dialect: Dialect, call: SocketCall) -> Option<HttpReply> {
        let route = |key: &str| {
            let mut of_dialect = self.routes.values().filter(|one| one.dialect == Some(dialect));
            of_dialect.find(|one| matches!(&one.trigger, Trigger::Socket { route_key } if *route_key == key))
        };
        let endpoint = *route(&call.route_key).or_else(|| route("$default"))?;
        let process = self.any_process();
        match self.invoke(endpoint, process, Invocation::Socket(call), PATIENCE).await? {
            Reply::Http(reply) => Some(reply),
            Reply::Batch(_) => None,
        }
    }

    /// Calls the stream's function, which dies when it was polled so often; none if it did not come to its end.
    pub async fn deliver(&self, records: Vec<StreamRecord>, deadly: Option<u64>) -> Option<Vec<String>> {
        let endpoint = *self.routes.get("fan-out")?;
        let process = Arc::clone(self.dice.pick(&self.deliveries)?);
        let records = Invocation::Stream(records);
        let reply = match deadly {
            Some(_) => self.within(endpoint, process, records, DELIVERY_PATIENCE, deadly).await,
            None => self.invoke(endpoint, process, records, DELIVERY_PATIENCE).await,
        };
        match reply? {
            Reply::Batch(failed) => Some(failed),
            Reply::Http(_) => None,
        }
    }

    /// Calls the queue's function, in a process that may be bound to die; none if it did not come to its end.
    pub async fn serve(&self, messages: Vec<QueueMessage>, cursed: bool) -> Option<Vec<String>> {
        let endpoint = *self.routes.get("deliver")?;
        let process = Arc::clone(self.dice.pick(&self.workers)?);
        let rates = self.weather.rates();
        let killed = self.weather.strikes(&self.dice, rates.killed.max(rates.unserved));
        // Cursed is what kills early, again and again.
        let polls = (killed || cursed).then(|| self.dice.between(1, if cursed { 12 } else { 40 }));
        let serving = self.within(endpoint, process, Invocation::Queue(messages), DELIVERY_PATIENCE, polls);
        match serving.await? {
            Reply::Batch(failed) => Some(failed),
            Reply::Http(_) => None,
        }
    }

    async fn invoke(
        &self,
        endpoint: &'static Endpoint,
        process: Arc<Context>,
        invocation: Invocation,
        patience: Duration,
    ) -> Option<Reply> {
        let polls =
            self.weather.strikes(&self.dice, self.weather.rates().killed).then(|| self.dice.between(1, 40));
        self.within(endpoint, process, invocation, patience, polls).await
    }

    /// Calls a function; it dies when it was polled so often.
    async fn within(
        &self,
        endpoint: &'static Endpoint,
        process: Arc<Context>,
        invocation: Invocation,
        patience: Duration,
        polls: Option<u64>,
    ) -> Option<Reply> {
        let answer_lost = self.weather.strikes(&self.dice, self.weather.rates().answer_lost);
        let running = Mortal { running: (endpoint.handler)(process, invocation), polls };
        let done = tokio::time::timeout(patience, AssertUnwindSafe(running).catch_unwind()).await;
        let Ok(done) = done else {
            if patience == DELIVERY_PATIENCE {
                self.history.note(Fact::Overdue);
            }
            return None;
        };
        match done {
            Ok(reply) => reply.filter(|_| !answer_lost),
            Err(_panic) => {
                self.history.note(Fact::Panicked { function: endpoint.name });
                None
            }
        }
    }
}

/// A call that may die: none if it did.
struct Mortal {
    running: handlers::endpoint::Handling,
    polls: Option<u64>,
}

impl Future for Mortal {
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Polling<'_>) -> Poll<Self::Output> {
        match &mut self.polls {
            Some(0) => return Poll::Ready(None),
            Some(polls) => *polls -= 1,
            None => {}
        }
        self.running.as_mut().poll(cx).map(Some)
    }
}

/// A call of a WebSocket API.
#[must_use]
pub fn socket_call(connection: &str, route_key: &str, event: SocketEvent) -> SocketCall {
    SocketCall {
        request_id: String::new(),
        connection_id: connection.to_owned(),
        route_key: route_key.to_owned(),
        event,
        headers: http::HeaderMap::new(),
        query: Vec::new(),
        source_ip: "127.0.0.1".to_owned(),
    }
}
