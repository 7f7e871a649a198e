//! The open connections, and what waits to be sent on each.
//!
//! A connection can be posted to from the moment its `$connect` was accepted until it closes. Posting never
//! waits: what a slow client does not take is bounded, and the caller is told when the bound is reached.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use domain::{Dialect, Timestamp};
use handlers::context::Clock;
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Frames that may wait for one connection. API Gateway does not tell its own bound; this one lets a burst of a
/// busy room through, and a client that takes nothing is found out within seconds.
pub const MAX_WAITING_FRAMES: usize = 512;
/// Bytes that may wait for one connection: eight messages of the largest size, so that 1,000 stuck clients hold
/// no more than 1 GiB.
pub const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// All open connections of all dialects, and the ids of those whose `$connect` has not answered yet.
#[derive(Debug, Clone, Default)]
pub struct Connections(Arc<RwLock<BTreeMap<String, Arc<Connection>>>>, Arc<Mutex<BTreeSet<String>>>);

/// A handshake under way; over when it is dropped.
#[derive(Debug)]
pub(crate) struct Handshake {
    connections: Connections,
    id: String,
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.connections.1.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Connections {
    /// The connection of that id, if it is open.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Connection>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Says that the id's `$connect` is being asked.
    pub(crate) fn begin(&self, id: &str) -> Handshake {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        Handshake { connections: self.clone(), id: id.to_owned() }
    }

    /// Whether the id's `$connect` is being asked.
    pub(crate) fn is_beginning(&self, id: &str) -> bool {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    pub(crate) fn insert(&self, connection: Arc<Connection>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(connection.id.clone(), connection);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

/// Who opened a connection, and when.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The caller's address.
    pub source_ip: String,
    /// Its `User-Agent`, or nothing.
    pub user_agent: String,
    /// When `$connect` was accepted.
    pub connected_at: Timestamp,
}

/// One open connection.
#[derive(Debug)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// Whose WebSocket API it is on.
    pub dialect: Dialect,
    /// Where it comes from.
    pub origin: Origin,
    waiting: mpsc::Sender<Utf8Bytes>,
    waiting_bytes: AtomicUsize,
    last_active: AtomicI64,
    activity: AtomicUsize,
    close: watch::Sender<Option<Close>>,
}

/// Why and how the server closes a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Close {
    /// The WebSocket close code.
    pub(crate) code: u16,
    /// At most 123 bytes.
    pub(crate) reason: String,
}

/// Why a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostError {
    /// The connection is closing or closed.
    Gone,
    /// Too much waits already.
    Full,
}

/// The other end of a connection's queue, for the task that owns the socket.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) frames: mpsc::Receiver<Utf8Bytes>,
    pub(crate) close: watch::Receiver<Option<Close>>,
}

impl Connection {
    pub(crate) fn new(id: String, dialect: Dialect, origin: Origin) -> (Arc<Self>, Waiting) {
        let (waiting, frames) = mpsc::channel(MAX_WAITING_FRAMES);
        let (close, closed) = watch::channel(None);
        let last_active = AtomicI64::new(origin.connected_at.millis());
        let waiting_bytes = AtomicUsize::new(0);
        let activity = AtomicUsize::new(0);
        let connection = Self { id, dialect, origin, waiting, waiting_bytes, last_active, activity, close };
        (Arc::new(connection), Waiting { frames, close: closed })
    }

    /// Queues a text message. Never waits.
    ///
    /// # Errors
    /// When the connection is closing, or too much waits for it already.
    pub fn post(&self, message: Utf8Bytes) -> Result<(), PostError> {
        if self.close.borrow().is_some() {
            return Err(PostError::Gone);
        }
        let size = message.len();
        let reserved = self.waiting_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
            // The largest message always fits into an empty buffer.
            waiting.checked_add(size).filter(|sum| *sum <= MAX_WAITING_BYTES)
        });
        if reserved.is_err() {
            return Err(PostError::Full);
        }
        self.waiting.try_send(message).map_err(|error| {
            self.sent(size);
            match error {
                mpsc::error::TrySendError::Full(_) => PostError::Full,
                mpsc::error::TrySendError::Closed(_) => PostError::Gone,
            }
        })
    }

    /// Closes the connection from this side; false if it was closing already.
    pub(crate) fn close(&self, code: u16, reason: &str) -> bool {
        self.close.send_if_modified(|close| {
            let first = close.is_none();
            if first {
                *close = Some(Close { code, reason: reason.to_owned() });
            }
            first
        })
    }

    /// A message of that size has left the buffer.
    pub(crate) fn sent(&self, size: usize) {
        self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
    }

    /// Something came or went.
    pub(crate) fn touch(&self, clock: &Clock) {
        self.last_active.store(clock.now().millis(), Ordering::Relaxed);
        self.activity.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what came and went; the clock may stand still in a test.
    pub(crate) fn activity(&self) -> usize {
        self.activity.load(Ordering::Relaxed)
    }

    /// When something last came or went.
    #[must_use]
    pub fn last_active_at(&self) -> Timestamp {
        Timestamp::from_millis(self.last_active.load(Ordering::Relaxed))
    }
}

/// Tasks that a shutdown waits for.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<tokio::task::JoinSet<()>>);

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What is done is let go, so that the set does not grow with every connection there ever was.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) fn take(&self) -> tokio::task::JoinSet<()> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> (Arc<Connection>, Waiting) {
        let origin = Origin {
            source_ip: String::new(),
            user_agent: String::new(),
            connected_at: Timestamp::from_millis(0),
        };
        Connection::new("id".to_owned(), Dialect::Channels, origin)
    }

    #[test]
    fn a_full_buffer_refuses_and_a_drained_one_takes_again() {
        let (connection, mut waiting) = connection();
        for _ in 0..MAX_WAITING_FRAMES {
            connection.post("x".into()).unwrap();
        }
        assert_eq!(connection.post("x".into()), Err(PostError::Full), "frames");
        waiting.frames.try_recv().unwrap();
        connection.sent(1);
        connection.post("x".into()).unwrap();
        while waiting.frames.try_recv().is_ok() {
            connection.sent(1);
        }
        let large = Utf8Bytes::from("x".repeat(128 * 1024));
        for _ in 0..8 {
            connection.post(large.clone()).unwrap();
        }
        assert_eq!(connection.post("x".into()), Err(PostError::Full), "bytes");
    }

    #[test]
    fn a_closing_connection_is_gone() {
        let (connection, waiting) = connection();
        assert!(connection.close(1001, "away") && !connection.close(1000, "again"));
        assert_eq!(connection.post("x".into()), Err(PostError::Gone));
        drop(waiting);
    }
}
