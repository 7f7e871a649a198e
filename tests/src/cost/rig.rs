//! Functions over one table, one topic and one `@connections`: each process has its own context, made of what
//! `template.yaml` says, and shares nothing with the others but these.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::{Dialect, Place};
use functions::environment;
use handlers::{
    attachments::Attachments,
    context::{Clock, Context, Secrets},
    delivery::{road::Road, topic::Topics},
    endpoint::{Endpoint, Trigger},
    gateway::Gateway as Way,
    invocation::{HttpCall, Invocation, Reply, SocketCall, StreamChange, StreamRecord},
};
use serde::Deserialize;
use store::{
    Item, Store,
    keys::{self, Key},
};
use switchboard::{TEMPLATE, dynamodb::TABLE};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{gateway::Gateway, meter::Meter, table::Table, topic::Topic};
use crate::simulation::time;

/// How often the queue is asked.
const POLL: Duration = Duration::from_millis(5);

/// How long AWS takes to answer, in milliseconds: stated, not measured.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// A request to the table.
    pub table: u64,
    /// A post to a connection.
    pub post: u64,
    /// A call of the topic.
    pub topic: u64,
    /// From the topic to a call of the queue's function.
    pub queue: u64,
    /// From a write to a call of the stream's function.
    pub stream: u64,
}

/// The template's parameters that matter here, and the account's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `LargeAudience`
    pub large_audience: u32,
    /// `CoalesceMillis`
    pub coalesce_millis: u32,
    /// `PostsPerSecond`
    pub posts_per_second: u32,
    /// `DeliverConcurrency`
    pub workers: u32,
    /// `BatchSize` of the queue's function: chunks that one call gets.
    pub batch: usize,
    /// Requests a second that API Gateway lets through.
    pub quota: u32,
}

impl Settings {
    /// As the template has them where nobody says otherwise, in an account as it is given.
    ///
    /// # Errors
    /// When the template has no such parameters.
    pub fn usual() -> Result<Self, String> {
        let found = |name: &str, what: &str| -> Option<u32> {
            let (_, rest) = TEMPLATE.split_once(&format!("\n  {name}:\n"))?;
            let (_, rest) = rest.split_once(&format!("{what}: "))?;
            rest.lines().next()?.trim().parse().ok()
        };
        let found =
            |name, what| found(name, what).ok_or_else(|| format!("template.yaml: {name} has no {what}"));
        let number = |name| found(name, "Default");
        Ok(Self {
            large_audience: number("LargeAudience")?,
            coalesce_millis: number("CoalesceMillis")?,
            posts_per_second: number("PostsPerSecond")?,
            workers: number("DeliverConcurrency")?,
            batch: usize::try_from(found("DeliverFunction", "BatchSize")?).unwrap_or(1),
            quota: 10_000,
        })
    }
}

/// All that there is.
pub struct Rig {
    /// Counts.
    pub meter: Meter,
    /// The connections.
    pub gateway: Arc<Gateway>,
    /// A context whose requests are not counted and take no time, to furnish with.
    pub furnishing: Arc<Context>,
    table: Arc<Table>,
    unseen: aws_sdk_dynamodb::Client,
    topic: Arc<Topic>,
    answers: Answers,
    batch: usize,
    requests: Arc<Context>,
    reader: Arc<Context>,
    workers: Mutex<Vec<Arc<Context>>>,
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").finish_non_exhaustive()
    }
}

/// Begins the luck of the SDK and the store anew: what happens from now on happens again so.
pub fn same_luck() {
    fastrand::seed(1);
}

/// Lets something happen in virtual time, with the same luck each time.
///
/// # Errors
/// What it says, or that there is no runtime.
pub fn in_virtual_time<T>(happens: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    same_luck();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        time::begin();
        happens.await
    })
}

impl Rig {
    /// An empty one.
    ///
    /// # Errors
    /// When the table or a context cannot be made.
    pub async fn new(settings: Settings, answers: Answers) -> Result<Self, String> {
        let meter = Meter::default();
        let table = Table::new(meter.clone(), Duration::from_millis(answers.table))?;
        let unseen = table.client(true);
        store::schema::create_table(&unseen, TABLE).await.map_err(|error| error.to_string())?;
        Self::over(table, meter, settings, answers)
    }

    /// Another, over the same table, with processes, connections and a topic of its own.
    ///
    /// # Errors
    /// When a context cannot be made.
    pub fn beside(&self, settings: Settings) -> Result<Self, String> {
        Self::over(Arc::clone(&self.table), self.meter.clone(), settings, self.answers)
    }

    fn over(table: Arc<Table>, meter: Meter, settings: Settings, answers: Answers) -> Result<Self, String> {
        let millis = Duration::from_millis;
        let unseen = table.client(true);
        let gateway = Gateway::new(meter.clone(), millis(answers.post), f64::from(settings.quota));
        let topic = Topic::new(meter.clone(), [millis(answers.topic), millis(answers.queue)]);
        let process = |endpoint: &Endpoint, client: aws_sdk_dynamodb::Client| -> Result<_, String> {
            let road = environment::settings(endpoint, |name| variable(&settings, name));
            let clients = Dialect::ALL.map(|dialect| (dialect, gateway.client()));
            Ok(Arc::new(Context {
                road: Road::new(
                    road.map_err(|error| error.to_string())?,
                    Topics { client: Some(topic.client()), chunks: Some("chunks".to_owned()), events: None },
                ),
                store: Store::new(client, TABLE),
                gateway: Way::Api(clients.into()),
                attachments: Attachments::Nowhere,
                secrets: Secrets { server: "server".into(), token_key: "key".into(), issuer: None },
                clock: Clock::from_fn(time::now),
                allowed_origins: Vec::new(),
            }))
        };
        let reader = endpoint("fan-out")?;
        let worker = endpoint("deliver")?;
        let workers = (0..settings.workers).map(|_| process(worker, table.client(false)));
        Ok(Self {
            furnishing: process(reader, unseen.clone())?,
            unseen,
            requests: process(reader, table.client(false))?,
            reader: process(reader, table.client(false))?,
            workers: Mutex::new(workers.collect::<Result<_, _>>()?),
            table,
            meter,
            gateway,
            topic,
            answers,
            batch: settings.batch,
        })
    }

    async fn call(&self, endpoint: &Endpoint, process: &Arc<Context>, invocation: Invocation) -> Reply {
        let began = Instant::now();
        let reply = (endpoint.handler)(Arc::clone(process), invocation).await;
        self.meter.call(began.elapsed());
        reply
    }

    /// Calls a function over HTTP, as a user; what it answers.
    ///
    /// # Errors
    /// What it answers, if that is no success.
    pub async fn http(&self, name: &str, mut call: HttpCall) -> Result<serde_json::Value, String> {
        let endpoint = endpoint(name)?;
        if let Trigger::Http { method, path } = &endpoint.trigger {
            call.method = method.clone();
            call.path = call
                .parameters
                .iter()
                .fold((*path).to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value));
        }
        let reply = self.call(endpoint, &self.requests, Invocation::Http(call)).await;
        if let Reply::Http(reply) = &reply {
            #[expect(clippy::cast_precision_loss, reason = "sizes of answers")]
            let bytes = reply.body.len() as f64;
            self.meter.count(|used| {
                used.http += 1.0;
                used.http_bytes += bytes;
            });
        }
        self.answered(name, reply)
    }

    /// Calls a function of a socket.
    ///
    /// # Errors
    /// What it answers, if that is no success.
    pub async fn socket(&self, name: &str, call: SocketCall) -> Result<(), String> {
        let reply = self.call(endpoint(name)?, &self.requests, Invocation::Socket(call)).await;
        self.answered(name, reply).map(|_| ())
    }

    fn answered(&self, name: &str, reply: Reply) -> Result<serde_json::Value, String> {
        match reply {
            Reply::Http(reply) if reply.status.is_success() => {
                Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
            }
            other => Err(format!("{name}: {other:?}")),
        }
    }

    /// Brings entries to the stream's function in one batch, and lets the queue's function have what comes of it,
    /// until all is delivered.
    ///
    /// # Errors
    /// When something would have to be brought again.
    pub async fn deliver(&self, places: &[Place]) -> Result<(), String> {
        let mut records = Vec::new();
        for place in places {
            records.push(self.record(*place).await?);
        }
        sleep(Duration::from_millis(self.answers.stream)).await;
        let fan_out = endpoint("fan-out")?;
        let mut reading = std::pin::pin!(self.call(fan_out, &self.reader, Invocation::Stream(records)));
        let mut calls: JoinSet<Result<Arc<Context>, String>> = JoinSet::new();
        let mut read = false;
        loop {
            while let Some(worker) = self.idle() {
                let messages = self.topic.queue.receive(self.batch);
                if messages.is_empty() {
                    self.rest(worker);
                    break;
                }
                calls.spawn(serve(Arc::clone(&self.topic), self.meter.clone(), worker, messages));
            }
            tokio::select! {
                // Otherwise it is left to chance which process is free first, and what each of them knows already.
                biased;
                reply = &mut reading, if !read => {
                    read = true;
                    match reply {
                        Reply::Batch(failed) if failed.is_empty() => {}
                        other => return Err(format!("the stream's function: {other:?}")),
                    }
                }
                Some(done) = calls.join_next() => self.rest(done.map_err(|error| error.to_string())??),
                () = sleep(POLL) => {}
            }
            if read && calls.is_empty() && self.topic.is_done() {
                return Ok(());
            }
        }
    }

    fn idle(&self) -> Option<Arc<Context>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn rest(&self, worker: Arc<Context>) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    /// Removes an item of the table, uncounted.
    ///
    /// # Errors
    /// What the table says.
    pub async fn remove(&self, key: Key) -> Result<(), String> {
        let delete = self.unseen.delete_item().table_name(TABLE).set_key(Some(keyed(key))).send().await;
        delete.map(|_| ()).map_err(|error| format!("{error:?}"))
    }

    /// The stream's record of an entry that was put.
    async fn record(&self, place: Place) -> Result<StreamRecord, String> {
        let keys = keyed(keys::entry(place));
        let read = self.unseen.get_item().table_name(TABLE).set_key(Some(keys.clone())).send().await;
        let item = read.map_err(|error| format!("{error:?}"))?.item;
        Ok(StreamRecord {
            change: StreamChange::Insert,
            sequence_number: place.seq.0.to_string(),
            keys,
            new_image: Some(item.ok_or_else(|| format!("there is no entry {place:?}"))?),
            old_image: None,
        })
    }
}

/// Calls the queue's function with some messages, and removes what is done; the process, which is free again.
async fn serve(
    topic: Arc<Topic>,
    meter: Meter,
    worker: Arc<Context>,
    messages: Vec<handlers::invocation::QueueMessage>,
) -> Result<Arc<Context>, String> {
    let ids: BTreeSet<String> = messages.iter().map(|message| message.id.clone()).collect();
    let began = Instant::now();
    let reply = (endpoint("deliver")?.handler)(Arc::clone(&worker), Invocation::Queue(messages)).await;
    meter.call(began.elapsed());
    match reply {
        Reply::Batch(failed) if failed.is_empty() => topic.queue.delete(&ids),
        other => return Err(format!("the queue's function: {other:?}")),
    }
    Ok(worker)
}

fn keyed(key: Key) -> Item {
    [("pk", key.pk), ("sk", key.sk)]
        .map(|(name, value)| (name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::S(value)))
        .into()
}

fn variable(settings: &Settings, name: &str) -> Option<String> {
    let value = match name {
        environment::LARGE_AUDIENCE => settings.large_audience,
        environment::COALESCE_MILLIS => settings.coalesce_millis,
        environment::POSTS_PER_SECOND => settings.posts_per_second,
        environment::WORKERS => settings.workers,
        _ => return None,
    };
    Some(value.to_string())
}

fn endpoint(name: &str) -> Result<&'static Endpoint, String> {
    let all = handlers::endpoints();
    all.into_iter().find(|one| one.name == name).ok_or_else(|| format!("no endpoint {name}"))
}
