//! `--lambda`: the functions' real binaries, each in processes of its own, over the Lambda Runtime API.
//!
//! # Layout
//! - [`event`]: calls and replies as AWS's JSON.
//! - `instance`: one process.
//! - `api`: what the processes talk to: the Runtime API, DynamoDB, `@connections`, on one loopback port.
//!
//! # Promises
//! As Lambda: a process is started when there is a call for it and none is free, has one call at a time, is used
//! again, and is killed when it takes longer than the template's `Timeout` allows. It gets the environment that the
//! template gives it and nothing else of this machine. At most [`INSTANCES`] of a function run at once; further calls
//! wait. All are ended with this program.

mod api;
pub mod event;
mod instance;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use bytes::Bytes;
use handlers::{
    attachments::Attachments,
    context::Context,
    delivery::road::Settings,
    endpoint::Endpoint,
    invocation::{Invocation, Reply},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use self::instance::{Desk, Instance};
use crate::{
    StartError,
    connections::Connections,
    dynamodb::{self, Storage, Tables},
    invoke::{InvokeError, random_text, request_id},
    observer::Observer,
};

/// Processes of one function that run at once.
pub const INSTANCES: usize = 8;
/// The memory that a function is told it has, in MB: nothing is measured here.
const MEMORY: &str = "512";

/// What the functions are run in.
pub(crate) struct World<'a> {
    /// Where their binaries are.
    pub(crate) folder: PathBuf,
    pub(crate) context: Arc<Context>,
    pub(crate) endpoints: Vec<&'static Endpoint>,
    pub(crate) timeouts: BTreeMap<&'static str, Duration>,
    /// How the road for large audiences is set.
    pub(crate) road: Settings,
    /// The way to the topics.
    pub(crate) topics: SharedHttpConnector,
    pub(crate) connections: Connections,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) tables: &'a Tables,
    pub(crate) storage: &'a Storage,
}

/// All functions.
#[derive(Debug)]
pub struct Functions {
    folder: PathBuf,
    /// What every process has in its environment.
    environment: Vec<(String, String)>,
    address: SocketAddr,
    /// Where DynamoDB is, if it is not here.
    remote: Option<String>,
    pools: BTreeMap<&'static str, Pool>,
    desks: Mutex<BTreeMap<String, Arc<Desk>>>,
    serving: Mutex<Option<JoinHandle<()>>>,
    /// Attachments of a table in memory, for as long as the functions live.
    _files: Option<tempfile::TempDir>,
}

/// The processes of one function.
#[derive(Debug)]
struct Pool {
    timeout: Duration,
    free: Mutex<Vec<Instance>>,
    room: Semaphore,
}

impl Functions {
    /// Starts what the functions talk to. No function is started.
    ///
    /// # Errors
    /// When a function of the template has no binary.
    pub(crate) async fn start(world: World<'_>) -> Result<Arc<Self>, StartError> {
        for name in world.timeouts.keys() {
            program(&world.folder, name).ok_or_else(|| {
                let folder = world.folder.display();
                StartError::Lambda(format!(
                    "no function {name} in {folder}; `cargo build -p functions --bins` builds them"
                ))
            })?;
        }
        let failed = |error: std::io::Error| StartError::Lambda(error.to_string());
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let files = match &world.context.attachments {
            Attachments::Memory(_) => Some(tempfile::tempdir().map_err(failed)?),
            _ => None,
        };
        let functions = Arc::new(Self {
            environment: environment(&world, files.as_ref().map(tempfile::TempDir::path)),
            address: listener.local_addr().map_err(failed)?,
            remote: match world.storage {
                Storage::Remote { url, .. } => Some(url.clone()),
                Storage::File(_) | Storage::Memory => None,
            },
            pools: world
                .timeouts
                .iter()
                .map(|(name, timeout)| {
                    let (free, room) = (Mutex::default(), Semaphore::new(INSTANCES));
                    (*name, Pool { timeout: *timeout, free, room })
                })
                .collect(),
            desks: Mutex::default(),
            serving: Mutex::default(),
            folder: world.folder,
            _files: files,
        });
        let api = api::Api {
            // The functions end when nobody calls them any more, not when nobody serves them.
            functions: Arc::downgrade(&functions),
            dynamodb: world.tables.connector.clone(),
            topics: world.topics,
            connections: world.connections,
            observer: world.observer,
            endpoints: world.endpoints,
        };
        let serving = tokio::spawn(api::serve(Arc::new(api), listener));
        *functions.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some(serving);
        Ok(functions)
    }

    /// Calls a function. The call goes on when its caller goes away.
    ///
    /// # Errors
    /// When it has no reply within `limit` and its own time.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        endpoint: &'static Endpoint,
        invocation: Invocation,
        limit: Duration,
    ) -> Result<Reply, InvokeError> {
        let functions = Arc::clone(self);
        let calling = tokio::spawn(async move {
            let pool = functions.pools.get(endpoint.name).ok_or(InvokeError::Failed)?;
            let payload = event::event(&invocation, &endpoint.trigger).to_string();
            let answer = functions.call(endpoint, pool, payload.into(), limit.min(pool.timeout)).await?;
            event::reply(&endpoint.trigger, &answer).map_err(|problem| {
                tracing::error!(endpoint = endpoint.name, problem, "the reply cannot be understood");
                InvokeError::Failed
            })
        });
        match tokio::time::timeout(limit, calling).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(InvokeError::Panicked),
            Err(_) => Err(InvokeError::TimedOut),
        }
    }

    async fn call(
        &self,
        endpoint: &'static Endpoint,
        pool: &Pool,
        payload: Bytes,
        limit: Duration,
    ) -> Result<Bytes, InvokeError> {
        let _room = pool.room.acquire().await.map_err(|_closed| InvokeError::Failed)?;
        let mut instance = match self.free(pool) {
            Some(instance) => instance,
            None => self.instance(endpoint).map_err(|error| {
                tracing::error!(endpoint = endpoint.name, %error, "the function was not started");
                InvokeError::Failed
            })?,
        };
        match instance.call(request_id(), payload, limit).await {
            Ok(answer) => {
                pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
                answer.map_err(|told| {
                    let told = String::from_utf8_lossy(&told).into_owned();
                    tracing::error!(endpoint = endpoint.name, told, "the function failed");
                    InvokeError::Failed
                })
            }
            Err(error) => {
                tracing::error!(endpoint = endpoint.name, %error, "the function's process is ended");
                self.forget(&instance.id);
                instance.kill().await;
                // To who asked, a function that was too slow has failed; too slow is only an API's own time.
                Err(InvokeError::Failed)
            }
        }
    }

    /// A process that waits for a call.
    fn free(&self, pool: &Pool) -> Option<Instance> {
        loop {
            let mut instance = pool.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if !instance.has_ended() {
                return Some(instance);
            }
            self.forget(&instance.id);
        }
    }

    fn instance(&self, endpoint: &'static Endpoint) -> std::io::Result<Instance> {
        let program = program(&self.folder, endpoint.name).ok_or(std::io::ErrorKind::NotFound)?;
        let id = random_text(9);
        let here = format!("http://{}", self.address);
        let mut environment = self.environment.clone();
        let mut set = |name: &str, value: String| environment.push((name.to_owned(), value));
        set("AWS_LAMBDA_RUNTIME_API", format!("{here}/runtime/{id}"));
        set("AWS_LAMBDA_FUNCTION_NAME", endpoint.name.to_owned());
        let table = self.remote.clone().unwrap_or_else(|| format!("{here}/dynamodb/{}", endpoint.name));
        set("AWS_ENDPOINT_URL_DYNAMODB", table);
        set("AWS_ENDPOINT_URL_SNS", format!("{here}/sns/{}", endpoint.name));
        for dialect in domain::Dialect::ALL {
            let name = format!("SWITCHBOARD_MANAGEMENT_{}", dialect.name().to_ascii_uppercase());
            set(&name, format!("{here}/gateway/{}/{}", endpoint.name, dialect.name()));
        }
        let (instance, desk) = Instance::start(id.clone(), &program, environment)?;
        tracing::debug!(endpoint = endpoint.name, instance = id, "started");
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).insert(id, desk);
        Ok(instance)
    }

    fn forget(&self, instance: &str) {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(instance);
    }

    fn desk(&self, instance: &str) -> Option<Arc<Desk>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).get(instance).cloned()
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        // First those who would complain that nobody serves them any more.
        self.pools.clear();
        if let Some(serving) = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take() {
            serving.abort();
        }
    }
}

/// A function's binary: `<name>`, as cargo builds it, or `<name>/bootstrap`, as cargo-lambda does.
fn program(folder: &Path, name: &str) -> Option<PathBuf> {
    let program = folder.join(name);
    [program.join("bootstrap"), program].into_iter().find(|path| path.is_file())
}

/// What the template and Lambda put into every function's environment.
fn environment(world: &World<'_>, files: Option<&Path>) -> Vec<(String, String)> {
    let credentials = dynamodb::credentials();
    let mut all = vec![
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY.to_owned()),
        ("AWS_REGION", dynamodb::region().to_string()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key().to_owned()),
        ("AWS_SESSION_TOKEN", credentials.session_token().unwrap_or_default().to_owned()),
        ("SWITCHBOARD_TABLE", world.tables.name.clone()),
        ("SWITCHBOARD_SECRET", world.context.secrets.server.clone()),
        ("SWITCHBOARD_TOKEN_KEY", world.context.secrets.token_key.clone()),
        ("SWITCHBOARD_ALLOWED_ORIGINS", world.context.allowed_origins.join(",")),
    ];
    let topics = &world.context.road.topics;
    let named = [("SWITCHBOARD_CHUNKS", &topics.chunks), ("SWITCHBOARD_EVENTS", &topics.events)];
    all.extend(named.into_iter().filter_map(|(name, arn)| arn.clone().map(|arn| (name, arn))));
    all.extend([
        ("SWITCHBOARD_LARGE_AUDIENCE", world.road.large_audience.to_string()),
        ("SWITCHBOARD_COALESCE_MILLIS", world.road.coalesce.as_millis().to_string()),
        ("SWITCHBOARD_POSTS_PER_SECOND", world.road.posts_per_second.to_string()),
    ]);
    let folder = match &world.context.attachments {
        Attachments::Folder(folder) => Some(folder.as_path()),
        _ => files,
    };
    all.extend(folder.map(|folder| ("SWITCHBOARD_ATTACHMENTS", folder.to_string_lossy().into_owned())));
    for (name, value) in world.context.secrets.issuer.iter().flat_map(|issuer| issuer.described()) {
        all.extend(value.map(|value| (name, value.to_owned())));
    }
    for name in ["RUST_LOG", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
        all.extend(std::env::var(name).ok().map(|value| (name, value)));
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
