//! The table on one machine: the unmodified SDK clients over an embedded emulator, DynamoDB Local or AWS.
//!
//! # Layout
//! - [`embedded`]: the emulator under the SDK, without TCP.
//! - `graft`: what the emulator's stream table lacks.
//! - `observe`: the connector around either, which wakes the stream trigger and tells an observer.

pub mod embedded;
mod graft;
mod observe;

use std::{path::PathBuf, sync::Arc, time::Duration};

use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};
use tokio::sync::watch;

use self::embedded::Embedded;
use crate::observer::Observer;

/// The table's name on one machine, unless said otherwise.
pub const TABLE: &str = "switchboard";

/// Where the table lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In a file, through the embedded emulator. Its folder is made if need be.
    File(PathBuf),
    /// In memory, through the embedded emulator.
    Memory,
    /// In DynamoDB Local or AWS.
    Remote {
        /// The endpoint's URL.
        url: String,
        /// The table's name: [`TABLE`], unless several servers share one endpoint.
        table: String,
        /// The folder that remembers how far the stream was read; none: it is not remembered.
        state: Option<PathBuf>,
    },
}

impl Storage {
    /// The table's name.
    #[must_use]
    pub fn table(&self) -> &str {
        match self {
            Self::File(_) | Self::Memory => TABLE,
            Self::Remote { table, .. } => table,
        }
    }
}

/// What went wrong with the storage at the start.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has the file.
    #[error("{} is in use by another switchboard; give this one another --data", .0.display())]
    InUse(PathBuf),
    /// The file or its folder cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The emulator refused.
    #[error("the embedded database: {0}")]
    Embedded(String),
    /// The emulator's private stream table is not what this version expects.
    #[error("the embedded database's stream table: {0}")]
    Graft(#[from] rusqlite::Error),
    /// The table could not be made.
    #[error("the table: {0}")]
    Table(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The table's clients.
#[derive(Debug)]
pub struct Tables {
    /// The table's name.
    pub name: String,
    /// For items.
    pub items: aws_sdk_dynamodb::Client,
    /// For the stream.
    pub streams: aws_sdk_dynamodbstreams::Client,
    /// Counts the writes, to wake the stream's triggers.
    pub written: watch::Receiver<u64>,
    /// The emulator, unless the table is remote.
    pub embedded: Option<Arc<Embedded>>,
    /// The way to the emulator, for requests that come from elsewhere.
    pub connector: Option<SharedHttpConnector>,
}

/// Opens the storage and makes the table if it is not there.
///
/// # Errors
/// When the file is in use or unusable, or the table cannot be made.
pub async fn open(storage: &Storage, observer: Option<Arc<dyn Observer>>) -> Result<Tables, StorageError> {
    let (wake, written) = watch::channel(0);
    let embedded = match storage {
        Storage::Remote { .. } => None,
        Storage::File(path) => {
            let path = path.clone();
            let opened = tokio::task::spawn_blocking(move || Embedded::open(&path)).await;
            Some(opened.map_err(|error| StorageError::Embedded(error.to_string()))??)
        }
        Storage::Memory => Some(Embedded::memory()?),
    };
    let embedded = embedded.map(Arc::new);
    let connector = embedded
        .clone()
        .map(|embedded| observe::connector(embedded::connector(embedded), wake.clone(), observer.clone()));
    let http = match connector.clone() {
        Some(connector) => http_client_fn(move |_, _| connector.clone()),
        None => {
            let tls = Provider::Rustls(CryptoMode::Ring);
            let http = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
            observe::observed(http, wake, observer)
        }
    };
    let (url, streams_url) = match storage {
        Storage::Remote { url, .. } => (url.clone(), url.replacen("://dynamodb.", "://streams.dynamodb.", 1)),
        Storage::File(_) | Storage::Memory => (NOWHERE.to_owned(), NOWHERE.to_owned()),
    };
    let items = items_config(http.clone(), &url, embedded.is_some());
    let items = aws_sdk_dynamodb::Client::from_conf(items.build());
    store::schema::create_table(&items, storage.table()).await.map_err(StorageError::Table)?;
    if let Some(embedded) = &embedded {
        embedded.prepare().await?;
    }
    let streams =
        aws_sdk_dynamodbstreams::Client::from_conf(streams_config(http, &streams_url, embedded.is_some()));
    Ok(Tables { name: storage.table().to_owned(), items, streams, written, embedded, connector })
}

/// The embedded emulator's URL: it is called, not connected to.
const NOWHERE: &str = "http://local.invalid";

/// Credentials of the environment, or dummies: DynamoDB Local takes any.
pub(crate) fn credentials() -> Credentials {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(key)) => {
            Credentials::new(id, key, variable("AWS_SESSION_TOKEN"), None, "environment")
        }
        _ => Credentials::new("local", "local", None, None, "local"),
    }
}

pub(crate) fn region() -> Region {
    Region::new(std::env::var("AWS_REGION").unwrap_or_else(|_| "us-east-1".to_owned()))
}

/// How the table's client is configured over this HTTP client; `embedded`: nobody looks at a signature.
#[must_use]
pub fn items_config(http: SharedHttpClient, url: &str, embedded: bool) -> aws_sdk_dynamodb::config::Builder {
    let config = aws_sdk_dynamodb::Config::builder();
    // Nobody would look at the signature, and it costs as much as the operation.
    let config = if embedded { config.allow_no_auth() } else { config.credentials_provider(credentials()) };
    config
        .behavior_version(BehaviorVersion::latest())
        .region(region())
        .endpoint_url(url)
        .http_client(http)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

fn streams_config(http: SharedHttpClient, url: &str, embedded: bool) -> aws_sdk_dynamodbstreams::Config {
    let config = aws_sdk_dynamodbstreams::Config::builder();
    let config = if embedded { config.allow_no_auth() } else { config.credentials_provider(credentials()) };
    config
        .behavior_version(BehaviorVersion::latest())
        .region(region())
        .endpoint_url(url)
        .http_client(http)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// How often expired items are removed. DynamoDB takes up to days; a developer should not have to.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The share of its time that sweeping takes: it reads the whole table. Whoever reads an item asks whether its time is
/// over, so that nothing depends on when it is removed.
const SWEEP_SHARE: u32 = 100;

/// Removes expired items from time to time, for as long as it is polled.
pub async fn sweep(embedded: Arc<Embedded>) {
    loop {
        let began = tokio::time::Instant::now();
        let embedded = Arc::clone(&embedded);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || embedded.sweep()).await {
            tracing::warn!(%error, "expired items were not removed");
        }
        tokio::time::sleep(pause_after(began.elapsed())).await;
    }
}

fn pause_after(sweeping: Duration) -> Duration {
    sweeping.saturating_mul(SWEEP_SHARE).max(SWEEP_INTERVAL)
}
