//! The single table, through the AWS SDK: keys, schema, the log, and one file per aggregate.
//!
//! # Layout
//! - [`keys`]: **the** key design, with its entity chart. No other file spells a key.
//! - [`schema`]: the table itself.
//! - [`log`]: reading and appending; the append is a conversation's only lock. [`turn`]: who goes first; [`recent`]: the
//!   log's end, remembered.
//! - [`conversation`], [`login`], [`member`], [`message`], [`read_mark`], [`session`], [`signal`], [`state`], [`user`],
//!   [`watcher`], [`connection`], [`subscription`], [`hold`], [`idempotency`], [`directory`], [`division`],
//!   [`stretch`]; [`channel`],
//!   [`listener`], [`mail`], [`user_state`] for Channelstream: one aggregate each.
//! - [`change`]: a record of the table's stream, as what it means.
//! - [`mod@retry`], [`write`](mod@write), `item`, `fault`: pauses, conditional writes, attributes, and what the
//!   SDK's errors mean.
//!
//! # Invariants
//! - An entry is written by a conditional put at tail + 1, alone or in a transaction with what it changes.
//! - What is written in the same transaction as an entry may be read, computed and put whole: nobody else can
//!   have changed it since the tail was read, or the put would have failed.
//! - It is no twin of anything: the same SDK calls go to DynamoDB, DynamoDB Local and the embedded emulator.

mod fault;
mod item;

pub mod change;
pub mod channel;
pub mod connection;
pub mod conversation;
pub mod directory;
pub mod division;
pub mod hold;
pub mod idempotency;
pub mod keys;
pub mod listener;
pub mod log;
pub mod login;
pub mod mail;
pub mod member;
pub mod message;
#[cfg(test)]
mod properties;
pub mod read_mark;
pub mod recent;
pub mod retry;
pub mod schema;
pub mod session;
pub mod signal;
pub mod state;
pub mod stretch;
pub mod subscription;
pub mod turn;
pub mod user;
pub mod user_state;
pub mod watcher;
pub mod write;

use std::{sync::Arc, time::Instant};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use domain::{Conversation, ConversationId, Error, Number, User, UserId, ids::Nonce};
use quick_cache::sync::Cache;

pub use fault::of_json;
pub use log::{Appended, Tail};
pub use write::Write;

/// An item of the table, or a key.
#[expect(clippy::disallowed_types, reason = "the SDK's own type of an item")]
pub type Item = std::collections::HashMap<String, AttributeValue>;

/// The table, through the AWS SDK.
///
/// It keeps in memory what it read lately: users for [`user::FRESH`]; conversations, whose numbers never
/// change in one life and whose settings are checked against the log's tail before they are relied on; and the ends
/// of logs, continued before they are relied on.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    users: Arc<Cache<UserId, (Instant, User)>>,
    conversations: Arc<Cache<ConversationId, Conversation>>,
    numbers: Arc<Cache<Number, ConversationId>>,
    windows: Arc<Cache<Number, Arc<recent::Window>, recent::Bytes>>,
    gates: Arc<[tokio::sync::Mutex<()>]>,
}

/// Users, conversations and numbers that one process remembers.
const REMEMBERED: usize = 4_096;
/// Logs whose last entries one process may remember, about.
const WINDOWS: usize = 256;
/// Locks that keep one process from competing with itself for the next number of a log.
const GATES: usize = 64;

impl Store {
    /// The table of that name, through this client.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            users: Arc::new(Cache::new(REMEMBERED)),
            conversations: Arc::new(Cache::new(REMEMBERED)),
            numbers: Arc::new(Cache::new(REMEMBERED)),
            windows: Arc::new(Cache::with_weighter(WINDOWS, recent::BYTES, recent::Bytes)),
            gates: (0..GATES).map(|_| tokio::sync::Mutex::new(())).collect(),
        }
    }

    /// Waits until no other task of this process is about to append to the log. Only courtesy: what keeps the
    /// log right is the condition of the put.
    pub async fn gate(&self, number: Number) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        let index = usize::try_from(number.0).unwrap_or(0) % GATES;
        match self.gates.get(index) {
            Some(gate) => Some(gate.lock().await),
            None => None,
        }
    }

    /// Random bits for a new entry.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no randomness.
    pub fn nonce() -> Result<Nonce, Error> {
        random().map(Nonce::new)
    }
}

/// Sixty-four random bits from the system.
pub(crate) fn random() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::Internal(format!("no randomness: {error}")))
}
