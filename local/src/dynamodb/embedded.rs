//! The embedded emulator under the SDK: a smithy HTTP client that calls it without TCP.
//!
//! One process has one file: a lock beside it refuses a second. A call runs on a blocking thread, because the
//! emulator holds one mutex around SQLite and a file's write waits for the disk.

use std::{
    fmt,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError, ImportOptions};
use serde::{Serialize, de::DeserializeOwned};

use super::{StorageError, graft};

/// How long a process that is just ending is waited for: a restart should not fail by a hair.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The emulator, and the lock of its file.
pub struct Embedded {
    database: Database,
    path: Option<PathBuf>,
    // Held as long as the database is open.
    _lock: Option<File>,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens a file, made with its folder if it is not there. Blocks, for a moment also on who is just leaving it.
    ///
    /// # Errors
    /// When another process has it, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let failed = |source| StorageError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock =
            File::options().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
        let given_up = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < given_up => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(StorageError::InUse(path.to_owned())),
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let text = path.to_str().ok_or_else(|| failed(std::io::Error::other("the path is not UTF-8")))?;
        let database = Database::new(text).map_err(|error| StorageError::Embedded(error.to_string()))?;
        Ok(Self { database, path: Some(path.to_owned()), _lock: Some(lock) })
    }

    /// A database that is gone with the process.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub fn memory() -> Result<Self, StorageError> {
        let database = Database::memory().map_err(|error| StorageError::Embedded(error.to_string()))?;
        Ok(Self { database, path: None, _lock: None })
    }

    /// Gives the emulator's stream table what it lacks, once the table is there.
    ///
    /// # Errors
    /// When the emulator's private tables are not what this version expects.
    pub(super) async fn prepare(self: &Arc<Self>) -> Result<(), StorageError> {
        let this = Arc::clone(self);
        let prepared = tokio::task::spawn_blocking(move || this.prepare_now()).await;
        prepared.map_err(|error| StorageError::Embedded(error.to_string()))?
    }

    fn prepare_now(&self) -> Result<(), StorageError> {
        let failed = |error: DynoxideError| StorageError::Embedded(error.to_string());
        graft::create_checkpoints(&self.database).map_err(failed)?;
        if let Some(path) = &self.path {
            return Ok(graft::graft(path)?);
        }
        // A second connection cannot reach a database in memory: it is grafted as a file and read back.
        let unusable = |source| StorageError::File { path: std::env::temp_dir(), source };
        let folder = tempfile::tempdir().map_err(unusable)?;
        let copy = folder.path().join("copy.db");
        let text = copy.to_str().ok_or_else(|| unusable(std::io::Error::other("the path is not UTF-8")))?;
        self.database.vacuum_into(text).map_err(failed)?;
        graft::graft(&copy)?;
        self.database.restore_from(text).map_err(failed)
    }

    #[cfg(test)]
    pub(super) fn copy_to(&self, path: &str) {
        self.database.vacuum_into(path).unwrap();
    }

    /// Removes expired items; says how many.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn sweep(&self) -> Result<usize, DynoxideError> {
        self.database.sweep_ttl()
    }

    /// Puts many items at once, in DynamoDB's JSON: one transaction of SQLite, and no record in the stream.
    ///
    /// # Errors
    /// What the emulator says, or that one is no item: then none is put.
    pub fn import(&self, table: &str, items: Vec<serde_json::Value>) -> Result<(), DynoxideError> {
        let items: Result<Vec<_>, _> = items.into_iter().map(serde_json::from_value).collect();
        let items = items.map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
        self.database.import_items(table, items, ImportOptions::default()).map(|_| ())
    }

    /// How far a trigger has read the shard: the sequence number of the last record that it is done with.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn position(&self, trigger: &str) -> Result<Option<String>, DynoxideError> {
        graft::position(&self.database, trigger)
    }

    /// Says that there is a trigger, before any other remembers its position.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn register(&self, trigger: &str) -> Result<(), DynoxideError> {
        graft::register(&self.database, trigger)
    }

    /// Remembers how far a trigger has read; what all triggers have read is trimmed.
    ///
    /// # Errors
    /// What the emulator says.
    pub fn remember(&self, trigger: &str, position: &str) -> Result<(), DynoxideError> {
        graft::remember(&self.database, trigger, position)
    }

    /// One operation: its name, its JSON in, its status and JSON out.
    #[must_use]
    pub fn call(&self, operation: &str, body: &[u8]) -> (u16, Vec<u8>) {
        match dispatch(&self.database, operation, body) {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json().into_bytes()),
        }
    }
}

/// The emulator as the connector of the SDK's HTTP client.
pub(super) fn connector(embedded: Arc<Embedded>) -> SharedHttpConnector {
    SharedHttpConnector::new(Connector(embedded))
}

#[derive(Debug)]
struct Connector(Arc<Embedded>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let embedded = Arc::clone(&self.0);
        let running = tokio::task::spawn_blocking(move || {
            let operation = operation(&request).unwrap_or_default();
            embedded.call(operation, request.body().bytes().unwrap_or_default())
        });
        HttpConnectorFuture::new(async move {
            let (status, body) = running.await.map_err(|error| ConnectorError::other(error.into(), None))?;
            let status =
                StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
            Ok(response)
        })
    }
}

/// The operation that a request of the SDK names: `DynamoDB_20120810.PutItem` is `PutItem`.
pub(super) fn operation(request: &HttpRequest) -> Option<&str> {
    request.headers().get("x-amz-target")?.rsplit('.').next()
}

fn dispatch(database: &Database, operation: &str, body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    match operation {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "DescribeStream" => run(body, |request| database.describe_stream(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "GetRecords" => run(body, |request| database.get_records(request)),
        "GetShardIterator" => run(body, |request| database.get_shard_iterator(request)),
        "ListStreams" => run(body, |request| database.list_streams(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        other => Err(DynoxideError::ValidationException(format!("the runner has no operation {other}"))),
    }
}

pub(super) fn run<Q: DeserializeOwned, S: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<S, DynoxideError>,
) -> Result<Vec<u8>, DynoxideError> {
    let request = serde_json::from_slice(body).map_err(|error| {
        // The emulator marks its own findings so; its marks must not reach a client.
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        match ["VALIDATION_REQUEST:", "VALIDATION_AS_READ:", "VALIDATION:"]
            .iter()
            .find_map(|m| text.strip_prefix(m))
        {
            Some(finding) => DynoxideError::ValidationException(finding.to_owned()),
            None if text.starts_with("SERIALIZATION:") => {
                DynoxideError::SerializationException(String::new())
            }
            None => DynoxideError::ValidationException(text.to_owned()),
        }
    })?;
    let response = operation(request)?;
    serde_json::to_vec(&response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
