//! Switchboard on one machine: everything on one port, with the same handlers as AWS.
//!
//! # Layout
//! - [`cli`], [`token`]: what a user types.
//! - [`template`]: `template.yaml` as the routing table; `routes`, [`selection`] look things up in it.
//! - [`http`], [`websocket`], [`connections`], [`management`]: API Gateway.
//! - `files`: a web client beside the API; `prometheus`: what was counted; `web`: the way out.
//! - [`dynamodb`], [`stream`]: the table and its triggers. [`topic`]: topics, queues, and theirs.
//! - [`mod@invoke`] calls handlers as Lambda does, [`lambda`] the binaries that Lambda runs; [`observer`] sees what
//!   they do.
//!
//! # Invariants
//! - A handler cannot tell this host from AWS: same events, same SDK clients, same limits, same errors.
//! - What the template does not name does not exist here.
//! - What was acknowledged survives a kill, and is announced at least once.
//! - Whatever a handler or a client does, the server lives on, and one slow client holds up nobody else.

pub mod cli;
pub mod connections;
pub mod cors;
pub mod dynamodb;
mod files;
pub mod http;
pub mod invoke;
pub mod lambda;
pub mod management;
pub mod observer;
mod prometheus;
mod routes;
pub mod selection;
pub mod stream;
pub mod template;
pub mod token;
pub mod topic;
mod web;
pub mod websocket;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use handlers::{
    attachments::Attachments,
    context::{Clock, Context, Secrets},
    delivery::road::{Road, Settings},
    endpoint::{Action, Endpoint},
    gateway::Gateway,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    connections::Connections, dynamodb::Storage, http::Server, invoke::Invoker, observer::Observer,
    websocket::SocketTimes,
};

/// The template of the project, as it was built.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// How the server is to be started.
pub struct Options {
    /// The address.
    pub host: IpAddr,
    /// The port; 0: any free one.
    pub port: u16,
    /// Where the table lives.
    pub storage: Storage,
    /// What proves who is calling.
    pub secrets: Secrets,
    /// Another template than [`TEMPLATE`].
    pub template: Option<String>,
    /// The functions that the template may name.
    pub endpoints: Vec<&'static Endpoint>,
    /// The time that handlers see.
    pub clock: Clock,
    /// Origins that a browser may open a WebSocket from; empty: any.
    pub allowed_origins: Vec<String>,
    /// A folder with a web client to be served beside the API.
    pub static_files: Option<PathBuf>,
    /// Where attachments are kept; none: beside the table.
    pub attachments: Option<Attachments>,
    /// The folder with the functions' binaries, if they are to be run instead of the handlers in this process.
    pub lambda: Option<PathBuf>,
    /// Sees every data operation on the table, and every post.
    pub observer: Option<Arc<dyn Observer>>,
    /// How long a socket may live.
    pub socket_times: SocketTimes,
    /// What of the delivery can be set.
    pub road: Settings,
    /// Where the owner's events are posted to.
    pub webhook: Option<topic::Url>,
    /// Post through the SDK's client, as in AWS, instead of straight to the sockets. For tests.
    pub post_through_sdk: bool,
}

impl Default for Options {
    /// In memory, on a free port, with all endpoints of the project and the well-known secrets.
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 0,
            storage: Storage::Memory,
            secrets: Secrets {
                server: cli::DEV_SECRET.to_owned(),
                token_key: cli::DEV_SECRET.to_owned(),
                issuer: None,
            },
            template: None,
            endpoints: handlers::endpoints(),
            clock: Clock::system(),
            allowed_origins: Vec::new(),
            static_files: None,
            attachments: None,
            lambda: None,
            observer: None,
            socket_times: SocketTimes::default(),
            road: Settings::default(),
            webhook: None,
            post_through_sdk: false,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `--host` is no address.
    #[error("--host {0} is no IP address")]
    Host(String),
    /// A well-known secret would be reachable from other machines.
    #[error(
        "--host {0} is reachable from other machines: give a --secret and a --token-key of your own \
         (or SWITCHBOARD_SECRET and SWITCHBOARD_TOKEN_KEY), `dev-secret` is known to everyone"
    )]
    DevSecret(IpAddr),
    /// An empty secret is everybody's.
    #[error("the server secret and the token key must not be empty")]
    EmptySecret,
    /// More than one storage was asked for.
    #[error("only one of --data, --memory and --dynamodb (or their environment variables) can be used")]
    Storages,
    /// The template's file cannot be read.
    #[error("{}: {source}", path.display())]
    Template {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder of the web client cannot be served.
    #[error("--static {}: {source}", path.display())]
    Static {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The template says something that cannot be served.
    #[error("template: {0}")]
    Application(#[from] template::TemplateError),
    /// The storage.
    #[error(transparent)]
    Storage(#[from] dynamodb::StorageError),
    /// The functions' binaries cannot be run.
    #[error("--lambda: {0}")]
    Lambda(String),
    /// The port is taken, or may not be used.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A server that runs. Dropped without [`Running::shutdown`], it ends as soon as its tasks notice, untidily.
#[derive(Debug)]
pub struct Running {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    /// What the handlers are given.
    pub context: Arc<Context>,
    /// The open connections.
    pub connections: Connections,
    /// The table's name.
    pub table: String,
    /// The table, past the handlers.
    pub items: aws_sdk_dynamodb::Client,
    server: Arc<Server>,
    closing: watch::Sender<bool>,
    triggers: Vec<JoinHandle<()>>,
    progress: Vec<Arc<stream::Progress>>,
    exchange: Arc<topic::Exchange>,
    sweep: Option<JoinHandle<()>>,
}

/// How long a shutdown waits for what is under way.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// Starts the server; when this returns it answers.
///
/// # Errors
/// When the template, the storage or the address cannot be used.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let text = options.template.as_deref().unwrap_or(TEMPLATE);
    let mut application = template::read(text, &options.endpoints)?;
    let (listed, sockets) =
        (std::mem::take(&mut application.routes), std::mem::take(&mut application.sockets));
    let routes = routes::Routes::new(listed, sockets)?;
    let files = match &options.static_files {
        Some(path) => Some(
            files::Files::new(path).map_err(|source| StartError::Static { path: path.clone(), source })?,
        ),
        None => None,
    };
    let asked = SocketAddr::new(options.host, options.port);
    let failed = |source| StartError::Listen { address: asked, source };
    let listener = TcpListener::bind(asked).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tables = dynamodb::open(&options.storage, options.observer.clone()).await?;

    let connections = Connections::default();
    let gateway = if options.post_through_sdk {
        let client = |dialect| (dialect, management::client(&connections, dialect, options.observer.clone()));
        Gateway::Api(routes.dialects().map(client).collect())
    } else {
        Gateway::Host(Arc::new(management::Direct::new(connections.clone(), options.observer.clone())))
    };
    let lambda = options.lambda.clone();
    let state = state_folder(&options.storage);
    let exchange = topic::Exchange::new(&application, state.as_deref(), options.webhook.is_some());
    let exchange = Arc::new(exchange);
    let to_topics = exchange.connector(options.observer.clone());
    let topics = topic::Exchange::topics(&application, to_topics.clone());
    let context = Arc::new(Context {
        road: Road::new(options.road, topics),
        store: store::Store::new(tables.items.clone(), tables.name.as_str()),
        gateway,
        attachments: options.attachments.unwrap_or_else(|| attachments(&options.storage)),
        secrets: options.secrets,
        clock: options.clock,
        allowed_origins: options.allowed_origins,
    });
    let invoker = match lambda {
        None => Invoker::InProcess(Arc::clone(&context)),
        Some(folder) => {
            let world = lambda::World {
                folder,
                context: Arc::clone(&context),
                endpoints: options.endpoints,
                timeouts: application.timeouts,
                road: options.road,
                topics: to_topics,
                connections: connections.clone(),
                observer: options.observer,
                tables: &tables,
                storage: &options.storage,
            };
            Invoker::Lambda(lambda::Functions::start(world).await?)
        }
    };
    let (closing, closed) = watch::channel(false);
    let mut triggers = Vec::new();
    let mut progress = Vec::new();
    triggers.extend(exchange.run(&application.queue_mappings, options.webhook.as_ref(), &invoker, &closed));
    // Whoever only tells a topic that nobody subscribes to need not read the stream: it would cost every write a read.
    application.mappings.retain(|mapping| {
        let events = application.events_topic.as_ref();
        !mapping.endpoint.access.contains(&Action::PublishEvents) || !exchange.is_idle(events)
    });
    if let Some(embedded) = tables.embedded.clone() {
        let names: Vec<_> = application.mappings.iter().map(|mapping| mapping.endpoint.name).collect();
        let registering = move || names.into_iter().try_for_each(|name| embedded.register(name));
        let registered = tokio::task::spawn_blocking(registering).await.map_err(|error| error.to_string());
        let registered = registered.and_then(|done| done.map_err(|error| error.to_string()));
        registered.map_err(dynamodb::StorageError::Embedded)?;
    }
    for mapping in application.mappings {
        let publishes = |action| mapping.endpoint.access.contains(&action);
        let chunks = application.chunks_topic.as_ref().filter(|_| publishes(Action::PublishChunks));
        let events = application.events_topic.as_ref().filter(|_| publishes(Action::PublishEvents));
        let downstream = [exchange.behind(chunks), exchange.behind(events)].concat();
        let trigger = stream::Trigger::new(mapping, &tables, invoker.clone(), state.clone(), downstream);
        progress.push(trigger.progress());
        triggers.push(tokio::spawn(trigger.run(tables.written.clone(), closed.clone())));
    }
    let sweep = tables.embedded.clone().map(|embedded| tokio::spawn(dynamodb::sweep(embedded)));
    let server = Arc::new(Server {
        routes,
        files,
        cors: application.cors,
        context: Arc::clone(&context),
        invoker,
        connections: connections.clone(),
        tasks: connections::Tasks::default(),
        socket_times: options.socket_times,
        closing: closed,
    });
    server.tasks.spawn(http::serve(Arc::clone(&server), listener));
    Ok(Running {
        address,
        context,
        connections,
        table: tables.name,
        items: tables.items,
        server,
        closing,
        triggers,
        progress,
        exchange,
        sweep,
    })
}

/// Where attachments are kept: beside the table.
fn attachments(storage: &Storage) -> Attachments {
    match state_folder(storage) {
        Some(folder) => Attachments::Folder(folder.join("attachments")),
        None => Attachments::memory(),
    }
}

/// The folder for what is kept beside the table; none in memory.
fn state_folder(storage: &Storage) -> Option<PathBuf> {
    match storage {
        Storage::File(path) => path.parent().map(PathBuf::from),
        Storage::Memory => None,
        Storage::Remote { state, .. } => state.clone(),
    }
}

impl Running {
    /// Waits until every record that was written to the table so far has been delivered to the stream's functions
    /// or given up, and what they published has left the queues.
    pub async fn drained(&self) {
        for progress in &self.progress {
            progress.drained().await;
        }
        self.exchange.drained().await;
    }

    /// Ends in good order: nothing new is taken, sockets are closed with 1001 and told to `$disconnect`, requests
    /// are answered, and how far the stream was delivered is remembered.
    ///
    /// A file can be opened again once every clone of [`Running::context`] and [`Running::items`] is gone too.
    pub async fn shutdown(mut self) {
        self.closing.send_replace(true);
        let server = Arc::clone(&self.server);
        let answering = async {
            let mut tasks = server.tasks.take();
            // A handshake that was under way may still have opened a connection.
            while !tasks.is_empty() {
                while tasks.join_next().await.is_some() {}
                tasks = server.tasks.take();
            }
        };
        let triggers = std::mem::take(&mut self.triggers);
        let ending = async {
            // However long an answer takes, it is remembered how far the stream was delivered.
            tokio::join!(answering, futures_util::future::join_all(triggers));
            if let Some(sweep) = self.sweep.take() {
                sweep.abort();
                let _ = sweep.await;
            }
        };
        if tokio::time::timeout(SHUTDOWN, ending).await.is_err() {
            tracing::warn!("something under way did not end in time");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.triggers.iter().chain(&self.sweep).for_each(JoinHandle::abort);
        drop(self.server.tasks.take());
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}
